"""Tests of shell completion, and of errors about unknown names."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tenantry.cli.app import app
from tests.cli.conftest import Folder

STACK = """
config:
  qlik:region: eu
  qlik:source_tenant: templates.eu.qlikcloud.com
  tenantry:customer: {name: Globex, plan: standard, tags: {country: de, size: small}}
"""
PLAN = "lifecycle: {kind: production}\ngroups: {Analysts: {}, Viewers: {}}\ntags: {country: fr}\n"


@pytest.fixture
def project(folder: Folder) -> Folder:
    """Return a project with two customers on one plan, and a second plan."""
    folder.write("stacks/plans/standard.yaml", PLAN)
    folder.write("stacks/plans/trial.yaml", "extends: standard\n")
    for stack in ("globex", "hooli"):
        folder.write(f"stacks/Pulumi.{stack}.yaml", STACK)
    return folder


def complete(line: str) -> list[str]:
    """Return the completions in Bash for the last word of a line."""
    words = line.split()
    last = len(words) if line.endswith(" ") else len(words) - 1
    variables = {"_TENANTRY_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(last)}
    result = CliRunner().invoke(app, [], env=variables, prog_name="tenantry")
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("tenantry up ", ["globex", "hooli"]),
        ("tenantry forget h", ["hooli"]),
        ("tenantry settings g", ["globex"]),
        ("tenantry up --plan t", ["trial"]),
        ("tenantry import host --plan ", ["standard", "trial"]),
        ("tenantry up --ring ", ["pilot", "early", "broad"]),
        ("tenantry up --tag country", ["country=de", "country=fr"]),
        ("tenantry smoke globex --group ", ["Analysts", "Viewers"]),
        ("tenantry smoke nobody --group ", []),
    ],
)
def test_names_are_completed(project: Folder, line: str, completions: list[str]) -> None:
    assert complete(line) == completions


def test_completion_ignores_broken_files(project: Folder) -> None:
    project.write("stacks/Pulumi.hooli.yaml", "config: [\n")
    project.write("stacks/plans/standard.yaml", "tags: 7\n")
    assert complete("tenantry up --tag ") == ["country=de", "size=small"]
    assert complete("tenantry smoke hooli --group ") == []
    (project.path / "Pulumi.yaml").unlink()
    assert complete("tenantry up ") == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("status", "globx"), 'the closest is "globex"; there are: globex, hooli'),
        (("check", "zzz"), "there are: globex, hooli"),
        (("status", "--plan", "tral"), 'the closest is "trial"; allowed: standard, trial'),
        (("status", "--ring", "erly"), 'the closest is "early"; allowed: broad, early, pilot'),
        (("status", "--tag", "contry=de"), 'the closest is "country"; allowed: country, size'),
    ],
)
def test_an_unknown_name_gets_a_suggestion(
    project: Folder, arguments: tuple[str, ...], expected: str
) -> None:
    result = project.run(*arguments)
    assert result.exit_code == 2
    assert expected in result.stderr


@pytest.mark.parametrize("arguments", [("-h",), ("up", "-h"), ("emulator", "-h")])
def test_help_has_a_short_option(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert (result.exit_code, "usage:" in result.stdout.casefold()) == (0, True)
