"""Tests of `tenantry init`, `new`, `plans`, `templates` and `schema` in a new repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli.app import app
from tenantry.demo.environment import client_environment
from tenantry.emulator import Emulator

SOURCE = "templates.eu.qlikcloud.com"
OPTIONS = ("--region", "eu", "--source-tenant", SOURCE)


def run(*arguments: str, code: int = 0) -> Result:
    """Run `tenantry`. `code` is the expected exit code."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a repository with `tenantry init`, and make it the current folder."""
    run("init", str(tmp_path / "acme"), *OPTIONS)
    monkeypatch.chdir(tmp_path / "acme")
    return tmp_path / "acme"


def test_init_lists_new_and_kept_files(tmp_path: Path) -> None:
    folder = tmp_path / "new customers"
    first = run("init", str(folder), *OPTIONS, "--ci", "gitlab", "--requirement", "tenantry==9")
    assert f"written  {folder / 'Pulumi.yaml'}" in first.output
    assert f"written  {folder / '.gitlab-ci.yml'}" in first.output
    assert (folder / "Pulumi.yaml").read_text().startswith("name: new-customers\n")
    assert '"tenantry==9"' in (folder / "pyproject.toml").read_text()
    second = run("init", str(folder), *OPTIONS)
    assert "written" not in second.output
    assert f"kept     {folder / 'Pulumi.yaml'}" in second.output


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "--region is required: there is no terminal to ask on."),
        (OPTIONS[:2], "--source-tenant is required: there is no terminal to ask on."),
        ((*OPTIONS, "--ci", "x"), '"x" is not one of github, gitlab, none'),
    ],
)
def test_init_requires_options_without_a_default(
    tmp_path: Path, options: tuple[str, ...], expected: str
) -> None:
    assert expected in run("init", str(tmp_path / "new"), *options, code=2).output
    assert not (tmp_path / "new").exists()


def test_init_asks_at_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenantry.cli.init._is_terminal", lambda: True)
    folder = tmp_path / "new"
    result = CliRunner().invoke(app, ["init", str(folder)], input=f"eu\n{SOURCE}\n\n", catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert SOURCE in (folder / "Pulumi.yaml").read_text()


def test_new_writes_a_stack_file(repository: Path) -> None:
    result = run("new", "acme-north", "--name", "Acme North Ltd")
    assert "pulumi up --stack acme-north" in result.output
    assert "Acme North Ltd" in (repository / "stacks" / "Pulumi.acme-north.yaml").read_text()
    assert "exists already" in run("new", "acme-north", code=2).output
    run("new", "prospect", "--trial-until", "2999-12-31")
    assert run("select", "--all").output.split() == ["acme-north", "prospect"]
    assert run("settings", "prospect").output.count("trial") >= 1


def test_plans_lists_plans_with_their_customers(repository: Path) -> None:
    for stack in ("a", "b"):
        run("new", stack)
    (repository / "stacks" / "Pulumi.c.yaml").write_text(
        "config: {'tenantry:customer': {name: C, plan: gone}}\n"
    )
    result = run("plans")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["plan", "extends", "customers"],
        ["standard", "-", "2"],
        ["trial", "standard", "0"],
    ]
    assert 'There is no plan "gone", but 1 stack file with it.' in result.stderr
    assert json.loads(run("plans", "--json").stdout)[0] == {"plan": "standard", "extends": "", "customers": 2}


def test_templates_lists_versions_spaces_and_ids(
    repository: Path, qlik: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published copies of apps are left out."""
    for name, value in client_environment(qlik.url).items():
        monkeypatch.setenv(name, value)
    result = run("templates")
    rows = [line.split("  ") for line in result.stdout.splitlines() if line]
    assert ["Sales Overview", "2.3.0"] in [[cell for cell in row if cell][:2] for row in rows]
    templates = json.loads(run("templates", "--source-tenant", SOURCE, "--json").stdout)
    assert {"name", "version", "app_id", "space"} == templates[0].keys()
    qlik.control.add_fault(path="/api/v1/items", status=403)
    assert f"The apps of {SOURCE} cannot be listed: " in run("templates", code=1).output


def test_templates_requires_a_source_tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    assert "--source-tenant" in run("templates", code=2).output


def test_schema_prints_or_writes_the_schema(repository: Path) -> None:
    file = repository / "stacks" / "schema.json"
    assert json.loads(run("schema").stdout) == json.loads(file.read_text())
    assert "is up to date" in run("schema", "--write").output
    file.write_text("{}")
    assert "is written" in run("schema", "--write").output
    assert json.loads(file.read_text())["definitions"]
