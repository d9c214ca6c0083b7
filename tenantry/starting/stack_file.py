"""The stack file of a new customer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tenantry.importing.minimal import as_text
from tenantry.settings import SettingsError, load_file
from tenantry.settings.document import read
from tenantry.settings.loading import stack_file
from tenantry.settings.project import STACK_NAME, Project
from tenantry.starting.repository import NotWritten
from tenantry.text import for_line


@dataclass(frozen=True)
class NewCustomer:
    """A new customer.

    Empty fields have defaults. The name is derived from the name of the stack. The plan is `trial` for a
    trial and `standard` otherwise, or the only plan of the project.
    """

    stack: str
    name: str = ""
    plan: str = ""
    trial_until: date | None = None


def write(project: Project, customer: NewCustomer) -> Path:
    """Write the stack file and return its path. If it raises NotWritten, it has left no new file."""
    if not STACK_NAME.fullmatch(customer.stack):
        raise NotWritten(
            f'"{for_line(customer.stack)}" is not a stack name: use letters, digits and . _ - '
            "and start with a letter or digit."
        )
    file = stack_file(customer.stack, project.stacks)
    values: dict[str, Any] = {"name": customer.name or _name(customer.stack)}
    if plan := customer.plan or _plan(project, trial=customer.trial_until is not None):
        values["plan"] = plan
    if customer.trial_until:
        values["lifecycle"] = {"kind": "trial", "ends_on": str(customer.trial_until)}
    schema = project.stacks / "schema.json"
    head = "yaml-language-server: $schema=schema.json" if schema.is_file() else ""
    text = as_text({"tenantry:customer": values}, head=head, short=False)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise NotWritten(f"{file} exists already. Edit it, or choose another stack name.") from None
    try:
        load_file(file)
    except SettingsError as error:
        file.unlink()
        raise NotWritten(f"{file} was not written. {error}") from error
    return file


def plans_of(project: Project) -> dict[str, dict[str, Any]]:
    """Return the values of each plan file, by name; empty for a plan that cannot be read."""
    found = {}
    for file in sorted((project.stacks / "plans").glob("*.yaml")):
        values = read(file).value
        found[file.stem] = values if isinstance(values, dict) else {}
    return found


def _plan(project: Project, *, trial: bool) -> str:
    plans = plans_of(project)
    usual = "trial" if trial else "standard"
    if usual in plans or not plans:
        return usual if plans else ""
    if len(plans) == 1:
        return next(iter(plans))
    raise NotWritten(
        f"--plan is required, because the project has no plan {usual}. Its plans: {', '.join(plans)}."
    )


def _name(stack: str) -> str:
    """Return a customer name for a stack: `Acme North` for `acme-north`."""
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"[-_.]+", stack) if word)
