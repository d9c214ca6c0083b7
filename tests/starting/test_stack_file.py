"""Tests of the stack file of a new customer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tenantry.settings import load_file
from tenantry.settings.project import Project
from tenantry.starting import repository
from tenantry.starting.repository import Choices, NotWritten
from tenantry.starting.stack_file import NewCustomer, write

LAST_DAY = date(2999, 12, 31)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a new project."""
    repository.write(tmp_path, Choices("acme", "eu", "templates.eu.qlikcloud.com", "tenantry"))
    project = Project.at(tmp_path)
    assert project
    return project


def test_a_customer_without_options_has_the_defaults(project: Project) -> None:
    file = write(project, NewCustomer("acme-north_2"))
    assert file.read_text() == (
        "# yaml-language-server: $schema=schema.json\n"
        "config:\n"
        "  tenantry:customer:\n"
        "    name: Acme North 2\n"
        "    plan: standard\n"
    )


def test_the_file_of_a_trial_has_its_last_day(project: Project) -> None:
    settings = load_file(write(project, NewCustomer("acme", name="ACME: a trial", trial_until=LAST_DAY)))
    customer = settings.customer
    assert (customer.name, customer.plan) == ("ACME: a trial", "trial")
    assert (customer.lifecycle.kind, customer.lifecycle.ends_on) == ("trial", LAST_DAY)


@pytest.mark.parametrize(
    ("plans", "trial", "plan"),
    [
        ((), False, None),
        (("gold",), False, "gold"),
        (("gold",), True, "gold"),
        (("gold", "standard"), False, "standard"),
        (("gold", "trial"), True, "trial"),
    ],
)
def test_the_plan_is_chosen_from_the_plans_of_the_project(
    project: Project, plans: tuple[str, ...], trial: bool, plan: str | None
) -> None:
    for file in (project.stacks / "plans").iterdir():
        file.unlink()
    for name in plans:
        (project.stacks / "plans" / f"{name}.yaml").write_text("groups: {A: {}}\n")
    file = write(project, NewCustomer("acme", trial_until=LAST_DAY if trial else None))
    assert load_file(file).customer.plan == plan


def test_an_ambiguous_plan_is_an_error(project: Project) -> None:
    (project.stacks / "plans" / "standard.yaml").rename(project.stacks / "plans" / "gold.yaml")
    with pytest.raises(
        NotWritten,
        match=r"--plan is required, because the project has no plan standard\. Its plans: gold, trial",
    ):
        write(project, NewCustomer("acme"))


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        (NewCustomer("a/b"), "is not a stack name"),
        (NewCustomer(".."), "is not a stack name"),
        (NewCustomer("-x"), "is not a stack name"),
        (NewCustomer("acme", plan="gold"), 'there is no plan "gold"'),
        (NewCustomer("acme", plan="trial"), "is required for a trial"),
    ],
)
def test_invalid_arguments_are_refused(project: Project, customer: NewCustomer, expected: str) -> None:
    """No file is written."""
    with pytest.raises(NotWritten) as caught:
        write(project, customer)
    assert expected in str(caught.value)
    assert project.stack_files() == {}


def test_an_existing_file_is_not_changed(project: Project) -> None:
    file = write(project, NewCustomer("acme"))
    file.write_text("existing")
    with pytest.raises(NotWritten, match="exists already"):
        write(project, NewCustomer("acme"))
    assert file.read_text() == "existing"
