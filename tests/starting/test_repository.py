"""Tests of the repository that `tenantry init` writes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from tenantry.settings import check_plan, load_file
from tenantry.settings.project import Project
from tenantry.starting.repository import CI, Choices, NotWritten, contents, schema, write
from tenantry.starting.stack_file import NewCustomer
from tenantry.starting.stack_file import write as write_stack

CHOICES = Choices("acme-tenants", "eu", "templates.eu.qlikcloud.com", "tenantry[cli] @ file:///t.whl")


def test_the_written_project_can_be_loaded(tmp_path: Path) -> None:
    """Pulumi and pip can read the files, and a customer gets the values of the plans."""
    written, kept = write(tmp_path / "new", CHOICES)
    root = tmp_path / "new"
    assert {file for file in root.rglob("*") if file.is_file()} == set(written)
    assert kept == []
    project = Project.at(root)
    assert project
    assert project.name == "acme-tenants"
    assert project.config == {"qlik:region": "eu", "qlik:source_tenant": "templates.eu.qlikcloud.com"}
    assert yaml.safe_load((root / "Pulumi.yaml").read_text())["runtime"]["options"]["virtualenv"] == ".venv"
    dependencies = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    assert dependencies == ["tenantry[cli] @ file:///t.whl"]
    compile((root / "__main__.py").read_text(), "__main__.py", "exec")
    assert not [name for name, text in contents(CHOICES) if "@NAME@" in text or "@REGION@" in text]

    for plan in ("standard", "trial"):
        check_plan(root / "stacks" / "plans" / f"{plan}.yaml")
    file = write_stack(project, NewCustomer("acme"))
    assert load_file(file).customer.lifecycle.kind == "production"
    assert not load_file(file).customer.apps, "the new plans name no app, because it may not exist"


def test_existing_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("existing")
    (tmp_path / "stacks" / "plans").mkdir(parents=True)
    (tmp_path / "stacks" / "plans" / "standard.yaml").write_text("groups: {Existing: {}}\n")
    written, kept = write(tmp_path, CHOICES)
    assert sorted(file.name for file in kept) == ["README.md", "standard.yaml"]
    assert (tmp_path / "README.md").read_text() == "existing"
    assert not set(written) & set(kept)
    assert write(tmp_path, CHOICES)[0] == []


@pytest.mark.parametrize("module", ["tenantry/__init__.py", "tenantry.py"])
def test_a_module_with_the_name_tenantry_is_refused(tmp_path: Path, module: str) -> None:
    file = tmp_path / module
    file.parent.mkdir(exist_ok=True)
    file.touch()
    with pytest.raises(NotWritten, match="has the name of this package"):
        write(tmp_path, CHOICES)
    assert not (tmp_path / "Pulumi.yaml").exists()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "a b"}, '"a b" is not a project name'),
        ({"region": "us"}, "templates.eu.qlikcloud.com is in region eu, not in us"),
        ({"source_tenant": "https://x.example"}, "is not a host of Qlik Cloud"),
        ({"ci": "jenkins"}, '"jenkins" is not one of github, gitlab, none'),
    ],
)
def test_invalid_choices_are_refused(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    """After an error, no file is written."""
    choices = Choices(**{**vars(CHOICES), **changes})
    with pytest.raises(NotWritten) as caught:
        write(tmp_path / "new", choices)
    assert expected in str(caught.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("ci", CI)
def test_each_ci_gets_its_files(tmp_path: Path, ci: str) -> None:
    """The scripts are executable, and no file contains a command of the checkout of Tenantry."""
    written, _ = write(tmp_path, Choices(**{**vars(CHOICES), "ci": ci}))
    for file in written:
        text = file.read_text()
        assert file.stat().st_mode & 0o100 or not text.startswith("#!"), file
        assert "make setup" not in text


def test_the_schema_comes_from_the_package(tmp_path: Path) -> None:
    write(tmp_path, CHOICES)
    assert (tmp_path / "stacks" / "schema.json").read_text() == schema()
