"""Tests of `tenantry settings`: the origin of each value, and hidden secrets."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import tenantry.settings
from tenantry.cli import output
from tests.cli.conftest import PROJECT, Folder
from tests.keys import public_pem

STACK = """\
config:
  qlik:region: eu
  qlik:source_tenant: templates.eu.qlikcloud.com
  tenantry:customer:
    name: Globex
    plan: gold
    groups:
      Analysts: {roles: [Developer, AnalyticsAdmin]}
      Viewers:
    spaces:
      Sales: {access: {Viewers: }}
    lifecycle: {kind: trial, ends_on: 2026-12-31}
"""
GOLD = """\
extends: base
apps:
  Sales:
    version: "2.0"
"""
BASE = """\
groups:
  Analysts: {roles: [AnalyticsAdmin]}
  Viewers: {}
  Guests: {}
spaces:
  Staging: {type: shared}
  Sales: {type: managed, access: {Analysts: [consumer], Viewers: [consumer]}}
apps:
  Sales: {template: Sales, version: "1.0", staging: Staging, publish_to: []}
"""


@pytest.fixture
def project(folder: Folder) -> Folder:
    """Return a project with a customer on a plan that extends another plan."""
    folder.write("stacks/Pulumi.globex.yaml", STACK)
    folder.write("stacks/plans/gold.yaml", GOLD)
    folder.write("stacks/plans/base.yaml", BASE)
    return folder


def printed_values(folder: Folder) -> dict[str, tuple[str, str]]:
    """Return the printed value and origin of each setting by its path."""
    result = folder.run("settings", "globex")
    assert result.exit_code == 0
    rows = [re.split(r"\s{2,}", line) for line in result.output.splitlines()]
    return {path: (value, origin) for path, value, origin in rows}


def json_output(folder: Folder) -> Any:
    """Return the output with `--json`."""
    return json.loads(folder.run("settings", "globex", "--json").output)


def test_every_value_has_its_file_and_line(project: Folder) -> None:
    found = printed_values(project)
    expected = {
        "qlik:region": ("eu", "stacks/Pulumi.globex.yaml:2"),
        "customer.name": ("Globex", "stacks/Pulumi.globex.yaml:5"),
        "customer.lifecycle.ends_on": ("2026-12-31", "stacks/Pulumi.globex.yaml:12"),
        "customer.lifecycle.grace_days": ("30", "default"),
        "customer.groups.Analysts.roles": ('["Developer", "AnalyticsAdmin"]', "stacks/Pulumi.globex.yaml:8"),
        "customer.groups.Guests.name": ("Guests", "stacks/plans/base.yaml:4"),
        "customer.groups.Guests.provider_type": ("idp", "default"),
        "customer.spaces.Sales.type": ("managed", "stacks/plans/base.yaml:7"),
        "customer.spaces.Sales.access.Analysts": ('["consumer"]', "stacks/plans/base.yaml:7"),
        "customer.apps.Sales.version": ("2.0", "stacks/plans/gold.yaml:4"),
        "customer.apps.Sales.template": ("Sales", "stacks/plans/base.yaml:9"),
        "customer.apps.Sales.publish_to": ("[]", "stacks/plans/base.yaml:9"),
    }
    assert {path: found.get(path) for path in expected} == expected
    assert not [path for path in found if "Viewers" in path]


def test_json_has_the_settings_nested_and_as_a_list(project: Folder) -> None:
    document = json_output(project)
    assert document["stack"] == "globex"
    customer = document["settings"]["tenantry:customer"]
    assert customer["groups"]["Analysts"]["roles"] == ["Developer", "AnalyticsAdmin"]
    lifecycle = {"kind": "trial", "ends_on": "2026-12-31", "time_zone": "UTC", "grace_days": 30}
    lifecycle |= {"release_entitlements": False}
    assert customer["lifecycle"] == lifecycle
    [version] = [value for value in document["values"] if value["path"] == "customer.apps.Sales.version"]
    assert version == {
        "path": "customer.apps.Sales.version",
        "keys": ["tenantry:customer", "apps", "Sales", "version"],
        "value": "2.0",
        "file": "stacks/plans/gold.yaml",
        "line": 4,
    }
    [default] = [value for value in document["values"] if value["path"] == "customer.lifecycle.grace_days"]
    assert (default["value"], default["file"], default["line"]) == (30, None, None)


def test_the_printed_settings_give_the_same_customer_without_plans(project: Folder) -> None:
    before = tenantry.settings.load_file(project.path / "stacks" / "Pulumi.globex.yaml")
    complete = json_output(project)["settings"]
    del complete["tenantry:customer"]["plan"]
    file = project.write("stacks/Pulumi.alone.yaml", json.dumps({"config": complete}))
    after = tenantry.settings.load_file(file)
    with_plan = after.customer.model_copy(update={"plan": "gold"})
    assert after.model_copy(update={"customer": with_plan}) == before


def test_a_value_of_the_project_has_pulumi_yaml_as_its_origin(project: Folder) -> None:
    project.write("Pulumi.yaml", PROJECT + "config:\n  qlik:region: {value: eu}\n")
    project.write("stacks/Pulumi.globex.yaml", STACK.replace("  qlik:region: eu\n", ""))
    found = printed_values(project)
    assert found["qlik:region"] == ("eu", "Pulumi.yaml:5")
    assert found["customer.name"] == ("Globex", "stacks/Pulumi.globex.yaml:4")


def test_only_the_key_of_a_secret_is_shown(project: Folder) -> None:
    secrets = "  tenantry:secrets_smtp: {secure: v1:abcdef}\n  tenantry:secrets_plain: swordfish\n"
    project.write("stacks/Pulumi.globex.yaml", STACK + secrets)
    for arguments in ([], ["--json"]):
        output = project.run("settings", "globex", *arguments).output
        assert "secrets_smtp" in output
        assert "[secret]" in output
        assert "abcdef" not in output
        assert "swordfish" not in output


def test_a_pem_file_is_shown_instead_of_its_key(project: Folder) -> None:
    """The path fits on one line, and the settings stay the same."""
    project.write("stacks/portal.pem", public_pem())
    entry = '    jwt_identity_providers: {portal: {issuer: i, kid: "1", pem_file: portal.pem}}\n'
    project.write("stacks/Pulumi.globex.yaml", STACK + entry)
    found = printed_values(project)
    path = "customer.jwt_identity_providers.portal"
    assert found[f"{path}.pem_file"] == ("portal.pem", "stacks/Pulumi.globex.yaml:13")
    assert f"{path}.pem" not in found


def test_settings_with_errors_are_reported(project: Folder) -> None:
    project.write("stacks/plans/gold.yaml", "extends: gold\n")
    result = project.run("settings", "globex")
    assert result.exit_code == 1
    assert "stacks/plans/gold.yaml:1: extends: plans extend each other in a circle" in result.stderr


def test_a_stack_without_a_file_is_an_error(project: Folder) -> None:
    result = project.run("settings", "glob")
    assert result.exit_code == 2
    assert "no stack file Pulumi.glob.yaml" in result.stderr
    assert 'the closest is "globex"' in result.stderr


def test_outside_a_project_the_command_is_an_error(folder: Folder) -> None:
    (folder.path / "Pulumi.yaml").unlink()
    result = folder.run("settings", "globex")
    assert (result.exit_code, "no Pulumi.yaml in this folder or above it" in result.stderr) == (2, True)


def test_long_values_are_not_cut_on_a_terminal(
    project: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    output.print_table(("setting", "from"), [("x" * 60, "y" * 30)], dim=[True])
    text = capsys.readouterr().out
    assert (text.count("x"), text.count("y"), "setting" in text) == (60, 30, True)
