"""`tenantry version`."""

from __future__ import annotations

from importlib.metadata import version as installed

import typer

from tenantry.cli.output import echo_text


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(version)


def version() -> None:
    """Print the version of Tenantry and of the Pulumi SDK that it uses."""
    print_version(True)


def print_version(wanted: bool) -> None:
    """Print the versions and end the command, if that is wanted."""
    if not wanted:
        return
    echo_text(f"tenantry {installed('tenantry')}\npulumi {installed('pulumi')}")
    raise typer.Exit
