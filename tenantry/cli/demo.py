"""`tenantry demo`: Tenantry in one minute, against a local Qlik Cloud."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.extras import needs


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, demo, example="demo")


def demo(
    stay: Annotated[
        bool, typer.Option("--stay", help="Keep the local Qlik Cloud running until you press Ctrl-C.")
    ] = False,
) -> None:
    """Try Tenantry against a local Qlik Cloud.

    Creates the tenant of a customer from a temporary folder. Uses neither your Pulumi login nor your tenants.
    """
    with needs("emulator"):
        import tenantry.emulator.server  # noqa: F401 (fails here if a library is missing)
        from tenantry.demo.run import main
    raise typer.Exit(main(stay=stay))
