"""`tenantry demo`: the whole of it in a minute, against a local Qlik Cloud."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli.extras import needs


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Keep it running until Ctrl-C.")] = False,
) -> None:
    """Make a customer's tenant from nothing against a local Qlik Cloud, in a temporary folder.

    Nothing of yours is read or written: neither a Pulumi login nor a tenant.
    """
    with needs("emulator"):
        import tenantry.emulator.server  # noqa: F401 (asks for its libraries before anything is started)
        from tenantry.demo.run import main
    raise typer.Exit(main(stay=stay))
