"""The comparison of a stack with its state, which starts no engine, agrees with the engine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import tenantry.providers
from tenantry.emulator import Emulator
from tenantry.fleet.outcome import Outcome
from tenantry.fleet.unchanged.lookup import Verdict, compare
from tenantry.providers.framework.properties import Change
from tests.e2e.customers import everything, with_changes
from tests.e2e.fleet import Fleet, copy_stack

FIRST = "first"
NO_ENV: Mapping[str, str] = {}
KEY = "tenantry:customer"

Customer = dict[str, Any]
Latest = dict[str, Any]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A project with one customer that has every resource type, created by the engine.

    Its OAuth client has no secret. test_unchanged_secrets.py tests stacks with secrets.
    """
    with Emulator() as qlik:
        fleet = Fleet(tmp_path_factory.mktemp("unchanged"), qlik)
        customer = everything()
        clients = customer["oauth_clients"]
        customer["oauth_clients"] = {
            key: client for key, client in clients.items() if client["app_type"] != "web"
        }
        fleet.write(FIRST, customer)
        fleet.run("up", "--all", "--yes", "--skip-preview")
        yield fleet


def verdict(fleet: Fleet, stack: str, *, preview: bool = True, env: Mapping[str, str] = NO_ENV) -> Verdict:
    """Return the verdict of the comparison. `env` adds environment variables."""
    environment = {**os.environ, **fleet.env, **env}
    return compare(fleet.project, stack, fleet.file(stack), environment, preview=preview)


def edit_customer(*changes: tuple[str, Any]) -> Callable[[Path, Path], None]:
    """Return a function that changes the customer in the stack file."""

    def change(file: Path, _state: Path) -> None:
        document = yaml.safe_load(file.read_text("utf-8"))
        document["config"][KEY] = with_changes(document["config"][KEY], *changes)
        file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")

    return change


def remove_entry(path: str) -> Callable[[Path, Path], None]:
    """Return a function that removes one entry of the customer."""

    def change(file: Path, _state: Path) -> None:
        document = yaml.safe_load(file.read_text("utf-8"))
        *blocks, key = path.split("/")
        mapping = document["config"][KEY]
        for block in blocks:
            mapping = mapping[block]
        del mapping[key]
        file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")

    return change


def edit_text(edit: Callable[[str], str]) -> Callable[[Path, Path], None]:
    """Return a function that changes the text of the stack file."""

    def change(file: Path, _state: Path) -> None:
        file.write_text(edit(file.read_text("utf-8")), "utf-8")

    return change


def edit_state(edit: Callable[[Latest], None]) -> Callable[[Path, Path], None]:
    """Return a function that changes the state."""

    def change(_file: Path, state: Path) -> None:
        document = json.loads(state.read_text("utf-8"))
        edit(document["checkpoint"]["latest"])
        state.write_text(json.dumps(document), "utf-8")

    return change


def resource(latest: Latest, end: str) -> dict[str, Any]:
    """Return the resource in a state whose URN has this end."""
    found: dict[str, Any]
    (found,) = (entry for entry in latest["resources"] if entry["urn"].endswith(end))
    return found


def set_urn(latest: Latest, old: str, new: str) -> None:
    """Replace the URN of a resource everywhere in a state."""
    text = json.dumps(latest["resources"])
    latest["resources"] = json.loads(text.replace(old, new))


def reversed_keys(text: str) -> str:
    document = yaml.safe_load(text)
    customer = document["config"][KEY]
    document["config"][KEY] = {key: customer[key] for key in reversed(customer)}
    return "# a comment\n" + yaml.safe_dump(document, sort_keys=False)


def unquote_date(file: Path, state: Path) -> None:
    """Write the last day without quotes, in the file and in the engine's copy of the configuration."""
    file.write_text(file.read_text("utf-8").replace("'2999-12-31'", "2999-12-31"), "utf-8")
    text = state.read_text("utf-8")
    state.write_text(text.replace(r"\"2999-12-31\"", r"\"2999-12-31 00:00:00 +0000 UTC\""), "utf-8")


def truncate_state(_file: Path, state: Path) -> None:
    """Truncate a state."""
    state.write_text(state.read_text("utf-8")[:-9], "utf-8")


WITHOUT_EFFECT: dict[str, Callable[[Path, Path], None]] = {
    "no-change": lambda _file, _state: None,
    "keys-in-another-order": edit_text(reversed_keys),
    "a-date-without-quotes": unquote_date,
    "an-alias-of-a-resource": edit_state(
        lambda latest: resource(latest, "Space::Sales").update(aliases=["urn:pulumi:x::y::z::Old"])
    ),
}
"""Changes that neither the engine nor the comparison counts as changes."""

WITH_EFFECT: dict[str, Callable[[Path, Path], None]] = {
    "name": edit_customer(("name", "Globex II")),
    "new-group": edit_customer(("groups/More", {"roles": ["AnalyticsAdmin"]})),
    "no-group": remove_entry("groups/Partners"),
    "renamed-group": edit_customer(("groups/Partners/description", "Others")),
    "version": edit_customer(("apps/Sales Overview/version", "2.4.0")),
    "access": edit_customer(("spaces/Sales/access/Analysts", ["consumer"])),
    "protected": edit_customer(("lifecycle", {"kind": "production", "grace_days": 10})),
    "protected-space": edit_customer(("spaces/Sales/protect", True)),
    "settings": edit_customer(("group_settings/auto_create_groups", False)),
    "no-settings": remove_entry("license_settings"),
    "unknown-key": edit_customer(("grops", {})),
    "not-yaml": edit_text(lambda text: text + "\n: {"),
    "no-salt": edit_text(lambda text: "\n".join(x for x in text.splitlines() if "salt" not in x)),
    "other-region": edit_text(lambda text: text.replace("region: eu", "region: us")),
    "added-configuration": edit_text(lambda text: text.replace("config:", "config:\n  tenantry:added: x")),
    "pending": edit_state(
        lambda latest: latest.update(
            pending_operations=[{"resource": resource(latest, "Space::Sales"), "type": "updating"}]
        )
    ),
    "failed": edit_state(lambda latest: resource(latest, "Space::Sales").update(initErrors=["not finished"])),
    "pending-deletion": edit_state(lambda latest: resource(latest, "Group::Partners").update(delete=True)),
    "protected-in-state": edit_state(lambda latest: resource(latest, "Space::Sales").update(protect=True)),
    "renamed-in-the-state": edit_state(lambda latest: set_urn(latest, "Group::Partners", "Group::Others")),
    "tainted": edit_state(lambda latest: resource(latest, "Group::Partners").update(taint=True)),
    "postponed": edit_state(
        lambda latest: resource(latest, "Space::Sales")["outputs"].update(postponed=["name"])
    ),
    "other-output": edit_state(lambda latest: latest["resources"][0]["outputs"].update(url="https://other")),
    "newer-format": edit_state(
        lambda latest: resource(latest, "Space::Sales")["outputs"].update(
            __provider="gASVKQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMBXNwYWNllEsChpRSlC4="
        )
    ),
    "other-configuration": edit_state(
        lambda latest: latest["resources"][2]["inputs"].update({"qlik:region": "us"})
    ),
    "parent-after-its-children": edit_state(lambda latest: latest["resources"].reverse()),
    "other-magic": edit_state(lambda latest: latest["manifest"].update(magic="0" * 64)),
    "truncated-state": truncate_state,
}
"""Changes that can cause a step or a failure, so that the comparison leaves them to the engine."""

PREVIEWED = ("version", "protected-space", "pending", "tainted", "truncated-state")
"""Entries of `WITH_EFFECT` that a run must report in the same way with and without the comparison."""


def test_the_comparison_agrees_with_the_engine(fleet: Fleet) -> None:
    """Both check copies of one stack. Each copy has one change."""
    for name, change in {**WITHOUT_EFFECT, **WITH_EFFECT}.items():
        change(*copy_stack(fleet, FIRST, name))
    stacks = sorted({**WITHOUT_EFFECT, **WITH_EFFECT})
    with ThreadPoolExecutor(4) as pool:
        verdicts = dict(zip(stacks, pool.map(lambda name: verdict(fleet, name), stacks), strict=True))
    unchanged = {name for name, found in verdicts.items() if found.same is not None}
    assert unchanged == WITHOUT_EFFECT.keys(), verdicts

    stacks = [*WITHOUT_EFFECT, *PREVIEWED]
    compared = fleet.run("preview", *stacks, "--json", expect=None)
    from_engine = fleet.run("preview", *stacks, "--json", "--engine", expect=None)
    assert [_comparable(outcome) for outcome in compared.report.outcomes] == [
        _comparable(outcome) for outcome in from_engine.report.outcomes
    ]
    for name in WITHOUT_EFFECT:
        assert not from_engine.outcomes[name].changes
        assert from_engine.outcomes[name].same == verdicts[name].same
    assert compared.requests == from_engine.requests == []


def _comparable(outcome: Outcome) -> Outcome:
    """Return an outcome without data that differs between runs, such as its duration and its logs."""
    troubles = tuple(replace(trouble, details="") for trouble in outcome.troubles)
    return replace(outcome, seconds=0, logs="", troubles=troubles)


def test_every_property_counts(fleet: Fleet) -> None:
    """The comparison leaves every new value of an input, and every new reference, to the engine."""
    (state,) = Path(fleet.folder).glob(f"pulumi/state/.pulumi/stacks/*/{FIRST}.json")
    latest = json.loads(state.read_text("utf-8"))["checkpoint"]["latest"]
    cases: list[tuple[int, str, str]] = []
    for number, entry in enumerate(latest["resources"]):
        cases += [(number, "inputs", name) for name in entry.get("inputs") or {}]
        cases += [(number, "", name) for name in ("dependencies", "deletedWith") if entry.get(name)]
        cases += [(number, "", "propertyDependencies")] if "propertyDependencies" in entry else []
        if not entry["custom"]:
            cases += [(number, "outputs", name) for name in entry["outputs"]]
    assert len(cases) > 150

    def change_and_compare(case: int) -> Verdict:
        number, part, name = cases[case]
        stack = f"case-{case}"
        file, state_copy = copy_stack(fleet, FIRST, stack)
        edit_state(lambda latest: _change_value(latest["resources"][number], part, name))(file, state_copy)
        return verdict(fleet, stack)

    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(change_and_compare, range(len(cases))))
    same = {cases[case] for case, found in enumerate(verdicts) if found.same is not None}
    print(sorted(same))
    assert same == {
        (number, part, name)
        for number, part, name in cases
        if part == "inputs" and _matters_only_at_creation(latest["resources"][number]["type"], name)
    }
    for case in range(len(cases)):
        fleet.file(f"case-{case}").unlink()


def _matters_only_at_creation(resource_type: str, name: str) -> bool:
    """Tell whether a property matters only at creation, so that a new value is not a change."""
    model = tenantry.providers.resource_types().get(resource_type.rpartition(":")[2])
    return bool(model and name in model.properties and model.properties[name].change is Change.AT_CREATION)


def _change_value(entry: dict[str, Any], part: str, name: str) -> None:
    """Replace a value by another one of the same type, if possible."""
    values = entry[part] if part else entry
    value = values[name]
    if isinstance(value, bool):
        values[name] = not value
    elif isinstance(value, int):
        values[name] = value + 1
    elif isinstance(value, str):
        values[name] = f"{value}x"
    elif isinstance(value, list):
        values[name] = value[1:] if value else ["x"]
    elif value:
        del value[next(iter(value))]
    else:
        values[name] = {"x": "x"}


def test_an_up_of_an_unchanged_stack_starts_no_engine(fleet: Fleet) -> None:
    file, state = copy_stack(fleet, FIRST, "unchanged")
    before = state.read_bytes(), file.read_bytes()
    assert verdict(fleet, "unchanged", preview=False).same
    result = fleet.run("up", "unchanged", "--yes", "--json")
    assert (result.outcomes["unchanged"].status, result.outcomes["unchanged"].changes) == ("ok", ())
    assert result.requests == []
    assert (state.read_bytes(), file.read_bytes()) == before
    assert not list(state.parents[2].glob("history/*/unchanged/*")), "without the engine, no run is recorded"
    engine_result = fleet.run("up", "unchanged", "--yes", "--json", "--engine")
    assert list(state.parents[2].glob("history/*/unchanged/*")), "with --engine, the engine records a run"
    assert replace(engine_result.outcomes["unchanged"], seconds=0) == replace(
        result.outcomes["unchanged"], seconds=0
    )


def test_a_stack_in_an_uncertain_environment_goes_to_the_engine(fleet: Fleet) -> None:
    """The reason is a lock, Pulumi.yaml, an environment variable, a module, or a custom program."""
    _, state = copy_stack(fleet, FIRST, "uncertain")
    assert verdict(fleet, "uncertain").same

    lock = state.parents[2] / "locks" / "organization" / state.parent.name / "uncertain" / "1.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    assert verdict(fleet, "uncertain").same, "a preview takes no lock"
    assert "locked" in verdict(fleet, "uncertain", preview=False).reason
    lock.unlink()

    for variable in ("PULUMI_PYTHON_CMD", "PULUMI_OPTION_REFRESH"):
        assert variable in verdict(fleet, "uncertain", env={variable: "true"}).reason
    project_file = fleet.project / "Pulumi.yaml"
    text = project_file.read_text("utf-8")
    project_file.write_text(text + "options:\n  refresh: always\n", "utf-8")
    assert "Pulumi.yaml" in verdict(fleet, "uncertain").reason
    for requirement in (">=99.0.0", ">=3.254.0 <4.0.0"):
        project_file.write_text(text.replace(">=3.254.0", requirement), "utf-8")
        assert "requiredPulumiVersion" in verdict(fleet, "uncertain").reason
    project_file.write_text(text, "utf-8")

    other = fleet.folder / "other"
    shutil.copytree(fleet.project, other)
    (other / "yaml.py").touch()
    other_verdict = compare(
        other, "uncertain", fleet.file("uncertain"), {**os.environ, **fleet.env}, preview=True
    )
    assert "modules" in other_verdict.reason

    program = fleet.project / "__main__.py"
    original = program.read_text("utf-8")
    program.unlink()
    for statement, words in {
        "print('text')": "prints something",
        "pulumi.log.warn('careful')": "careful",
        "pulumi.export('added', 1)": "outputs",
        "pulumi.ComponentResource('a:b:C', 'added')": "new",
        "pulumi.runtime.invoke('a:b:c', {})": "calls Invoke",
        "pulumi.StackReference('organization/other/stack')": "calls ReadResource",
        "raise SystemExit(3)": "SystemExit",
        "1 / 0": "ZeroDivisionError",
        "import sys; sys.stderr.write('text')": "prints something",
    }.items():
        program.write_text(f"{original}\n{statement}\n", "utf-8")
        found = verdict(fleet, "uncertain")
        assert found.same is None, statement
        assert words in found.reason, found
    program.write_text(f"{original}\nif not pulumi.runtime.is_dry_run():\n    print('text')\n", "utf-8")
    assert verdict(fleet, "uncertain").same
    assert verdict(fleet, "uncertain", preview=False).same is None
    program.write_text(original, "utf-8")
    assert verdict(fleet, "uncertain").same
