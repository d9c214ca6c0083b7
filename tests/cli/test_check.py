"""Tests of the output and exit codes of `tenantry check`. tests/checks has the findings."""

from __future__ import annotations

import json

import pytest

from tenantry.emulator import Emulator
from tenantry.state.backend import Backend, NoSuchStack, PulumiFailed
from tenantry.state.entries import TENANT
from tests.cli.conftest import Folder

STACK = """\
config:
  qlik:region: eu
  qlik:source_tenant: templates.eu.qlikcloud.com
  tenantry:customer:
    name: Globex
    lifecycle: {kind: trial, ends_on: "ENDS"}
    groups: {Analysts: {roles: [ROLE]}}
"""


@pytest.fixture
def project(folder: Folder, qlik: Emulator, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Return three stacks without a state: a correct one, an ended trial, and one with an unknown role."""
    monkeypatch.setenv("QLIK_CLOUD_ENDPOINT", qlik.url)
    monkeypatch.setenv("QLIK_CLIENT_ID", "demo")
    monkeypatch.setenv("QLIK_CLIENT_SECRET", "demo-secret")
    for name in ("QLIK_ORG_CLIENT_ID", "QLIK_ORG_CLIENT_SECRET", "QLIK_CREDENTIALS_COMMAND"):
        monkeypatch.delenv(name, raising=False)

    def state(_: Backend, stack: str) -> dict[str, object]:
        raise NoSuchStack("pulumi stack export", f"no stack named '{stack}' found", 6)

    monkeypatch.setattr(Backend, "state", state)
    monkeypatch.setattr("tenantry.state.reading.address_of", lambda _: "postgres://db")
    for name, ends, role in (
        ("a", "2099-12-31", "Developer"),
        ("b", "2020-12-31", "Developer"),
        ("c", "2099-12-31", "X"),
    ):
        folder.write(f"stacks/Pulumi.{name}.yaml", STACK.replace("ENDS", ends).replace("ROLE", role))
    return folder


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["a"], 0),
        (["b"], 0),
        (["b", "--strict"], 1),
        (["c"], 1),
        (["a", "b"], 0),
        (["--all"], 1),
        (["a", "--strict"], 0),
    ],
)
def test_the_exit_code_shows_errors_and_strict_warnings(
    project: Folder, arguments: list[str], code: int
) -> None:
    assert project.run("check", *arguments).exit_code == code


def test_a_shared_finding_is_printed_once_and_errors_come_first(project: Folder) -> None:
    output = project.run("check", "--all").output
    first, first_stacks, second, *_ = output.splitlines()
    assert first.startswith(
        '  error    roles         stacks/Pulumi.c.yaml:7: customer.groups.Analysts.roles: role "X"'
    )
    assert first_stacks.strip() == "1 stack (c)"
    assert second.startswith(
        "  warning  lifecycle     stacks/Pulumi.b.yaml:6: customer.lifecycle.ends_on: the"
    )
    assert output.count("accepted in region eu") == 1
    assert "  ok       credentials   accepted in region eu\n                         all 3 stacks" in output
    assert "2 stacks (a, b)" in output
    assert output.splitlines()[-1] == "3 stacks: 1 error, 1 warning"
    assert "\x1b" not in output


def test_a_finding_names_its_first_places_and_counts_the_others(project: Folder) -> None:
    for name in "defgh":
        text = STACK.replace("ENDS", "2099-12-31").replace("ROLE", "X")
        project.write(f"stacks/Pulumi.{name}.yaml", text)
    lines = [line.strip() for line in project.run("check", "--all", "--quiet").output.splitlines()]
    assert lines[1] == "6 stacks (c, d, e, f, g, h)"
    assert lines[2:6] == [*(f"also stacks/Pulumi.{name}.yaml:7" for name in "def"), "and 2 more places"]


def test_quiet_prints_only_problems(project: Folder) -> None:
    output = project.run("check", "--all", "--quiet").output
    assert {line.split()[0] for line in output.splitlines() if line.startswith("  ") and line[2] != " "} == {
        "error",
        "warning",
    }
    report = json.loads(project.run("check", "--all", "--quiet", "--json").output)
    assert report["stacks"]["a"] == []


@pytest.mark.parametrize(
    ("arguments", "stacks"),
    [(["--ring", "broad"], {"a", "b", "c"}), (["--ring", "pilot"], set()), (["a", "--shard", "1/1"], {"a"})],
)
def test_stacks_are_selected_as_for_a_run(project: Folder, arguments: list[str], stacks: set[str]) -> None:
    assert set(json.loads(project.run("check", *arguments, "--json").output)["stacks"]) == stacks


def test_json_has_file_line_and_path_of_each_finding(project: Folder) -> None:
    report = json.loads(project.run("check", "--all", "--json").output)
    assert (report["errors"], report["warnings"]) == (1, 1)
    [error] = [entry for entry in report["stacks"]["c"] if entry["level"] == "error"]
    assert error["text"].startswith('role "X" does not exist')
    assert {key: error[key] for key in ("about", "file", "line", "path")} == {
        "about": "roles",
        "file": "stacks/Pulumi.c.yaml",
        "line": 7,
        "path": "customer.groups.Analysts.roles",
    }
    assert {entry["level"] for entry in report["stacks"]["a"]} == {"ok"}


def test_the_tenant_of_a_stack_is_found_in_its_state(
    project: Folder, monkeypatch: pytest.MonkeyPatch, qlik: Emulator
) -> None:
    """The roles of its tenant are valid. Here, the tenant of the stack is the source tenant."""
    tenant = {
        "type": TENANT,
        "id": "templates.eu.qlikcloud.com",
        "urn": "urn:pulumi:a::tenantry::Tenant::tenant",
    }
    monkeypatch.setattr(Backend, "state", lambda *_: {"deployment": {"resources": [tenant]}})
    qlik.request("POST", "templates.eu.qlikcloud.com", "/api/v1/roles", {"name": "X"})
    assert project.run("check", "c").exit_code == 0


def test_an_unreadable_state_is_a_warning(project: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def state(*_: object) -> None:
        raise PulumiFailed("pulumi stack export", "error: no backend", 1)

    monkeypatch.setattr(Backend, "state", state)
    result = project.run("check", "a")
    assert (result.exit_code, "warning  state" in result.output, "no backend" in result.output) == (
        0,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "No stacks are selected."), (["a", "--all"], "Give stack names or --all, not both.")],
)
def test_stack_names_and_all_exclude_each_other(project: Folder, arguments: list[str], words: str) -> None:
    result = project.run("check", *arguments)
    assert (result.exit_code, words in result.stderr) == (2, True)


def test_all_without_stack_files_is_an_error(project: Folder) -> None:
    for file in project.path.glob("stacks/Pulumi.*.yaml"):
        file.unlink()
    result = project.run("check", "--all")
    assert (result.exit_code, "no stack files" in result.stderr) == (2, True)


def test_a_stack_without_a_file_is_an_error(project: Folder) -> None:
    result = project.run("check", "a", "nobody")
    assert (result.exit_code, "no stack file Pulumi.nobody.yaml" in result.stderr) == (2, True)
