"""`tenantry emulator`: the local Qlik Cloud, which brings its own options."""

from __future__ import annotations

import typer

from tenantry.cli.extras import needs


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line; its options are the emulator's own, `--help` included."""
    passing = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(add_help_option=False, context_settings=passing)(emulator)


def emulator(context: typer.Context) -> None:
    """Start a local Qlik Cloud, for demos and tests. `tenantry emulator --help` lists its options."""
    with needs("emulator"):
        import tenantry.emulator.server  # noqa: F401 (asks for its libraries before anything is started)
        from tenantry.emulator.__main__ import main
    raise typer.Exit(main(context.args))
