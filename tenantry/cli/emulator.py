"""`tenantry emulator`: the local Qlik Cloud, which has its own options."""

from __future__ import annotations

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.extras import needs


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line. The emulator parses all options itself, including `--help`."""
    passing = {"allow_extra_args": True, "ignore_unknown_options": True}
    add_command(app, emulator, example="emulator --help", add_help_option=False, context_settings=passing)


def emulator(context: typer.Context) -> None:
    """Start a local Qlik Cloud for demos and tests.

    `tenantry emulator --help` lists its options.
    """
    with needs("emulator"):
        import tenantry.emulator.server  # noqa: F401 (fails here if a library is missing)
        from tenantry.emulator.__main__ import main
    raise typer.Exit(main(context.args))
