"""`tenantry version`."""

from __future__ import annotations

from importlib.metadata import version as installed

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo_text


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, version, example="version")


def version() -> None:
    """Print the versions of Tenantry and of the Pulumi SDK."""
    print_version(True)


def print_version(requested: bool) -> None:
    """Print the versions and end the command if `wanted` is set."""
    if not requested:
        return
    echo_text(f"tenantry {installed('tenantry')}\npulumi {installed('pulumi')}")
    raise typer.Exit
