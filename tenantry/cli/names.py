"""The names for shell completion: stacks, plans, rings, tags, groups and runs, from the project's files.

Errors are ignored here, because a shell would print them into the line that the user is typing.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from tenantry.settings.project import Project

READ_SECONDS = 0.5
"""The time limit for reading files. With very many customers, only the tags of the first ones are offered."""

Completer = Callable[[typer.Context, str], list[str]]


def _completer(names: Callable[[Project, typer.Context], Iterable[str]]) -> Completer:
    @functools.wraps(names)
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        from tenantry.settings.project import Project

        try:
            project = Project.of(Path.cwd() / "Pulumi.yaml")
            return [name for name in names(project, ctx) if name.startswith(incomplete)] if project else []
        except Exception:  # noqa: BLE001 (an error must not appear in the user's command line)
            return []

    complete.__annotations__ = {"ctx": typer.Context, "incomplete": str}
    del complete.__wrapped__  # otherwise Typer reads the signature of the wrapped function
    return complete


@_completer
def stacks(project: Project, _: typer.Context) -> Iterable[str]:
    """Return the names of the stacks that have a file."""
    return project.stack_files()


@_completer
def plans(project: Project, _: typer.Context) -> Iterable[str]:
    """Return the names of the plans."""
    from tenantry.settings.plans import plan_names

    return plan_names(project.stacks)


@_completer
def rings(_: Project, __: typer.Context) -> Iterable[str]:
    """Return the names of the rings."""
    from tenantry.fleet.members import RINGS

    return RINGS


@_completer
def tags(project: Project, _: typer.Context) -> Iterable[str]:
    """Return the tags in plans and stack files, as KEY=VALUE."""
    from tenantry.settings.plans import plan_names

    plans = [project.stacks / "plans" / f"{name}.yaml" for name in plan_names(project.stacks)]
    customers = _values([*plans, *project.stack_files().values()])
    tag_mappings = (customer["tags"] for customer in customers if isinstance(customer.get("tags"), dict))
    return sorted({f"{key}={value}" for tags in tag_mappings for key, value in tags.items()})


@_completer
def groups(project: Project, ctx: typer.Context) -> Iterable[str]:
    """Return the keys of the groups of the stack that is already on the command line."""
    from tenantry.settings import load_file

    files = project.stack_files()
    stack = next(word for word in (ctx.params.get("stack"), *ctx.args) if word in files)
    return load_file(files[stack]).customer.groups


@_completer
def runs(project: Project, _: typer.Context) -> Iterable[str]:
    """Return the names of the runs that this machine has kept."""
    from tenantry.fleet.journal import Journal

    return [run.id for run in Journal.all(project.name)]


def _values(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the customer settings of plans and stack files, until the time is over."""
    from tenantry.settings.document import read

    until = time.monotonic() + READ_SECONDS
    for file in files:
        values = read(file).value
        for key in ("config", "tenantry:customer"):
            values = values.get(key, values) if isinstance(values, dict) else None
        if isinstance(values, dict):
            yield values
        if time.monotonic() > until:
            return
