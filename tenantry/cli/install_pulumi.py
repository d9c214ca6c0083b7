"""`tenantry install-pulumi`: the Pulumi CLI for this environment."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import typer

from tenantry.cli.output import echo, echo_text, fail


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(install_pulumi)


def install_pulumi() -> None:
    """Put the Pulumi CLI into the virtual environment that this command runs in.

    That is the CLI on PATH if it is new enough, else the official release, checked against a known SHA-256,
    else one built from Pulumi's Go modules, which takes a few minutes. A second run does what is missing.
    """
    from tenantry.pulumi_cli import installation
    from tenantry.pulumi_cli.stamps import Stamps
    from tenantry.pulumi_cli.steps import SetupError, locked

    venv = Path(sys.prefix)
    if sys.prefix == sys.base_prefix:
        fail(
            f"{sys.executable} is in no virtual environment, and `pulumi` would go among the system's own "
            "files. Create an environment with `python3 -m venv .venv`, install Tenantry there, and run "
            "`.venv/bin/tenantry install-pulumi`.",
            code=2,
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with locked(venv / "tenantry-setup.lock"):
            cli = installation.ensure(venv, Stamps(venv))
    except (SetupError, OSError) as error:
        echo_text("\nThe Pulumi CLI is not installed.", err=True)
        fail("", error)
    except KeyboardInterrupt:
        echo_text("\nInterrupted. The same command carries on from here.", err=True)
        raise typer.Exit(130) from None
    echo(f"{venv / 'bin' / 'pulumi'} starts {cli}")
