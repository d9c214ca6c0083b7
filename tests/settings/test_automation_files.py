"""Definitions of automations next to stack files and plans."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tenantry.providers.values import automation_definitions
from tenantry.settings import SettingsError, check_plan
from tests.settings.conftest import Folder

DEFINITION = '{"blocks": [{"type": "StartBlock"},\n{"to": "{{MAIL}}", "text": "{{CUSTOMER}} to {{MAIL}}"}]}'
ENTRY = "automations: {{Nightly: {{path: nightly.json, {}}}}}"


@pytest.mark.parametrize(
    ("write_definition", "message"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (
            lambda path: path.write_text('{"blocks":\n nothing}'),
            "nightly.json:2 is not JSON: Expecting value",
        ),
        (lambda path: path.write_bytes(b"\xff\xfe{"), "is not JSON: it is not UTF-8"),
        (lambda path: path.write_text("[" * 100_000), "cannot be read"),
        (lambda path: path.write_text("[]"), "is not the definition of an automation"),
        (lambda path: path.write_text("{}"), "is not the definition of an automation"),
        (
            lambda path: path.write_text(" " * automation_definitions.MAX_BYTES + "{}"),
            "more than 2,000,000 bytes",
        ),
    ],
)
def test_an_invalid_definition_is_refused(
    folder: Folder, write_definition: Callable[[Path], object], message: str
) -> None:
    """The problem is one line, with the places in the stack file and in the definition."""
    write_definition(folder.path / "nightly.json")
    [problem] = folder.write(ENTRY.format("enabled: false")).problems()
    assert problem.startswith("stacks/Pulumi.globex.yaml:6: customer.automations.Nightly.path: ")
    assert str(folder.path / "nightly.json") in problem
    assert message in problem


def test_all_problems_of_the_values_are_reported_at_once(folder: Folder) -> None:
    """They include each placeholder without a value and each value without a placeholder."""
    path = folder.path / "nightly.json"
    path.write_text(DEFINITION)
    entry = "values: {MAIL: a@example.com, REGION: eu, lower: x, NUMBER: 1}"
    one, two, three, four = folder.write(ENTRY.format(entry)).problems()
    at = "stacks/Pulumi.globex.yaml:6: customer.automations.Nightly.values"
    assert one.startswith(f"{at}: CUSTOMER has no value, but {path}:2 contains {{{{CUSTOMER}}}}")
    assert two == f'{at}.NUMBER: YAML reads 1 as a number; put it in quotes: NUMBER: "1"'
    assert three == f"{at}.REGION: {path} does not contain {{{{REGION}}}}"
    assert four.startswith(f"{at}.lower: the name of a placeholder consists of capitals")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("schedules: [{interval: 3600, timezone: UTC}]", "start_at"),
        ('schedules: [{start_at: "6 o\'clock", timezone: UTC}]', "is not a time"),
        ("schedules: [{start_at: 2026-01-01, timezone: UTC, interval: 61}]", "whole minutes"),
        ('schedules: [{start_at: "2026-01-01 06:00:00", timezone: Berlin, cron: "* *"}]', "cron"),
        ('schedules: [{start_at: "2026-01-01 06:00:00", timezone: Mars/Base}]', "time zone"),
        ("max_concurrent_runs: 0", "max_concurrent_runs"),
        ("space: Nowhere", "Nowhere"),
        ("enabled: maybe", "enabled"),
    ],
)
def test_an_invalid_entry_is_refused(folder: Folder, entry: str, message: str) -> None:
    (folder.path / "nightly.json").write_text('{"blocks": []}')
    problems = folder.write(ENTRY.format(entry)).problems()
    assert all(problem.startswith("stacks/Pulumi.globex.yaml:6: ") for problem in problems)
    assert any(message in problem for problem in problems)


def test_the_resource_gets_the_path_and_the_digest(folder: Folder) -> None:
    """The digest is computed from the definition with its values. Times do not need quotes."""
    path = folder.path / "nightly.json"
    path.write_text(DEFINITION)
    values = "values: {MAIL: a@example.com, CUSTOMER: Globex}"
    schedules = "schedules: [{start_at: 2026-01-01 06:00:00, interval: 86400, timezone: Europe/Berlin}]"
    entry = folder.write(ENTRY.format(f"{values}, {schedules}")).customer().automations["Nightly"]
    block = {"to": "a@example.com", "text": "Globex to a@example.com"}
    filled = {"blocks": [{"type": "StartBlock"}, block]}
    assert entry.resource_properties() == {
        "name": "Nightly",
        "path": str(path.absolute()),
        "digest": automation_definitions.digest(filled),
        "values": {"MAIL": "a@example.com", "CUSTOMER": "Globex"},
        "schedules": [{"start_at": "2026-01-01 06:00:00", "interval": 86400, "timezone": "Europe/Berlin"}],
        "max_concurrent_runs": 1,
        "enabled": True,
    }
    path.write_text(json.dumps({"name": "As Qlik returns it", "workspace": json.loads(DEFINITION)}))
    assert (
        folder.customer().automations["Nightly"].resource_properties()["digest"]
        == entry.resource_properties()["digest"]
    )


def test_a_plan_can_leave_values_to_its_customers(folder: Folder) -> None:
    """The path is relative to the folder of the plan. A customer adds the values that differ."""
    plan = folder.path / "plans" / "standard.yaml"
    (folder.path / "plans" / "nightly.json").write_text(DEFINITION)
    standard = ENTRY.format("values: {MAIL: a@example.com}")
    folder.write("plan: standard\nautomations: {Nightly: {values: {CUSTOMER: Globex}}}", standard=standard)
    assert folder.customer().automations["Nightly"].values == {"MAIL": "a@example.com", "CUSTOMER": "Globex"}
    check_plan(plan)
    [problem] = folder.write("plan: standard").problems()
    assert "CUSTOMER has no value" in problem
    plan.write_text(standard.replace("MAIL", "MAYL"))
    with pytest.raises(
        SettingsError, match=r"standard.yaml:1: automations.Nightly.values.MAYL: .* does not contain"
    ):
        check_plan(plan)
