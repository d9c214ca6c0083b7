"""`tenantry rename`: a stack gets another name."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli.output import echo, fail
from tenantry.cli.progress import working
from tenantry.cli.projects import STACK, current_project, root_of, stack_files


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(rename)


def rename(
    old: Annotated[str, STACK],
    new: Annotated[str, typer.Argument(help="Its new name.", show_default=False)],
) -> None:
    """Give a stack another name: its file, the stack in the backend, and what is named after it.

    Sends no request to Qlik: the customer's name and tenant stay what they are, and the next `up` has nothing
    to do because of it. Refused where the new name is taken, a run has the stack locked, or was cut off.
    """
    from tenantry.settings.project import STACK as STACK_NAME
    from tenantry.state.backend import Backend, PulumiFailed
    from tenantry.state.rename import CannotRename
    from tenantry.state.rename import rename as rename_stack

    project = current_project()
    [file] = stack_files(project, [old]).values()
    if not STACK_NAME.fullmatch(new):
        fail(f"{new} is no name of a stack: use letters, digits and . _ - after a letter or digit.", code=2)
    try:
        with working(f"Renaming {old}"):
            made = rename_stack(Backend(root_of(project)), project.name, file, old, new)
    except (CannotRename, PulumiFailed) as error:
        fail(f"{old} was not renamed", error)
    except OSError as error:
        fail(f"{old} was not renamed: {error.filename}: {error.strerror}")
    echo(f"Stack {old} is {new} now: {made}")
    echo("Commit the file under its new name; workflows that name the stack need the new name too.", err=True)
