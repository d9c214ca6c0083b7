"""`tenantry init`: a repository of one's own."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.output import echo, fail, prompt


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write it.", show_default=False)],
    region: Annotated[
        str, typer.Option(help="Region of your tenants, for example eu.", show_default=False)
    ] = "",
    source_tenant: Annotated[
        str, typer.Option(help="Hostname of the tenant that has the template apps.", show_default=False)
    ] = "",
    ci: Annotated[str, typer.Option(help="Workflows to write: github, gitlab or none.")] = "",
    name: Annotated[
        str, typer.Option(help="Name of the Pulumi project. Default: the folder's.", show_default=False)
    ] = "",
    requirement: Annotated[
        str,
        typer.Option(
            help="What pip installs as Tenantry. Default: what this Tenantry was installed from.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Write a repository for your customers: project, plans, workflows, and a README with the daily commands.

    A file that is there already is left as it is. Asks for what is not given.
    """
    from tenantry.starting.repository import Choices, NotWritten, write
    from tenantry.starting.requirement import requirement as installed

    choices = Choices(
        name or re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name),
        region or _asked("Region of your tenants, for example eu", "--region"),
        source_tenant or _asked("Hostname of the tenant with the template apps", "--source-tenant"),
        requirement or installed(("cli", "emulator")),
        ci or (_asked("Workflows for github, gitlab or none", "--ci", "none") if _is_terminal() else "none"),
    )
    try:
        written, kept = write(folder, choices)
    except NotWritten as error:
        fail("", error, code=2)
    for file in kept:
        echo(f"kept     {file}")
    for file in written:
        echo(f"written  {file}")
    echo()
    echo(f"{folder / 'README.md'} has the next steps.")


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _asked(question: str, option: str, default: str | None = None) -> str:
    if not _is_terminal():
        fail(f"{option} is required where nobody can be asked.", code=2)
    try:
        return prompt(question, default=default)
    except typer.Abort:
        raise typer.Exit(130) from None
