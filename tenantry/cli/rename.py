"""`tenantry rename`: a new name for a stack."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, fail
from tenantry.cli.progress import working
from tenantry.cli.projects import STACK, current_project, root_of, stack_files


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, rename, example="rename acme acme-eu")


def rename(
    old: Annotated[str, STACK],
    new: Annotated[str, typer.Argument(metavar="NEW", help="New name of the stack.", show_default=False)],
) -> None:
    """Rename a stack.

    Renames its file, the stack in the backend, and everything that is named after it. Sends no request to
    Qlik: the customer's name and tenant stay unchanged, and the next `up` has nothing to do. Fails if the new
    name is taken, if a run has locked the stack, or if a run was interrupted.
    """
    from tenantry.settings.project import STACK_NAME
    from tenantry.state.backend import Backend, PulumiFailed
    from tenantry.state.rename import CannotRename
    from tenantry.state.rename import rename as rename_stack

    project = current_project()
    [file] = stack_files(project, [old]).values()
    if not STACK_NAME.fullmatch(new):
        fail(
            f"{new} is not a stack name. Use letters, digits and . _ - and start with a letter or digit.",
            code=2,
        )
    try:
        with working(f"Renaming {old}"):
            new_file = rename_stack(Backend(root_of(project)), project.name, file, old, new)
    except (CannotRename, PulumiFailed) as error:
        fail(f"{old} was not renamed", error)
    except OSError as error:
        fail(f"{old} was not renamed: {error.filename}: {error.strerror}")
    echo(f"Stack {old} is now {new}: {new_file}")
    echo("Commit the renamed file. Change the name in workflows that use it.", err=True)
