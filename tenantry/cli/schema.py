"""`tenantry schema`: the JSON schema of stack files and plans."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text
from tenantry.cli.projects import current_project


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, schema, example="schema --write")


def schema(
    write: Annotated[
        bool,
        typer.Option("--write", help="Write the schema to schema.json in the folder of the stack files."),
    ] = False,
) -> None:
    """Print the JSON schema of stack files and plans.

    Editors use it to complete and check them. After an upgrade, run `tenantry schema --write` to update the
    schema in your repository.
    """
    from tenantry.starting.repository import schema as text

    if not write:
        echo_text(text(), nl=False)
        return
    file = current_project().stacks / "schema.json"
    is_current = file.is_file() and file.read_text("utf-8") == text()
    if not is_current:
        file.write_text(text(), "utf-8")
    echo(f"{file} is {'up to date' if is_current else 'written'}")
