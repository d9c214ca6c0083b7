"""`tenantry init`: a new repository for customers."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, fail, prompt


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, init, example="init customers --region eu --source-tenant templates.eu.qlikcloud.com")


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of the new repository.", show_default=False)
    ],
    region: Annotated[
        str,
        typer.Option(metavar="REGION", help="Region of your tenants, for example eu.", show_default=False),
    ] = "",
    source_tenant: Annotated[
        str,
        typer.Option(
            metavar="HOSTNAME", help="Hostname of the tenant with the template apps.", show_default=False
        ),
    ] = "",
    ci: Annotated[str, typer.Option(metavar="CI", help="Workflows to write: github, gitlab or none.")] = "",
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Name of the Pulumi project. Default: the name of the folder.",
            show_default=False,
        ),
    ] = "",
    requirement: Annotated[
        str,
        typer.Option(
            metavar="REQUIREMENT",
            help="Requirement with which pip installs Tenantry. Default: the source of this installation.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Write a new repository for your customers.

    Writes the project, plans, workflows, and a README with the daily commands. Keeps existing files
    unchanged. Asks for options that you do not give.
    """
    from tenantry.starting.repository import Choices, NotWritten, write
    from tenantry.starting.requirement import requirement as installed

    choices = Choices(
        name or re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name),
        region or _ask("Region of your tenants, for example eu", "--region"),
        source_tenant or _ask("Hostname of the tenant with the template apps", "--source-tenant"),
        requirement or installed(("cli", "emulator")),
        ci or (_ask("Workflows for github, gitlab or none", "--ci", "none") if _is_terminal() else "none"),
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


def _ask(question: str, option: str, default: str | None = None) -> str:
    if not _is_terminal():
        fail(f"{option} is required: there is no terminal to ask on.", code=2)
    try:
        return prompt(question, default=default)
    except typer.Abort:
        raise typer.Exit(130) from None
