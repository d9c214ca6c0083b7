"""`tenantry install-pulumi`: the Pulumi CLI for this environment."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text, fail


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, install_pulumi, example="install-pulumi")


def install_pulumi() -> None:
    """Install the Pulumi CLI into this virtual environment.

    Uses the first that works: 1. the CLI on PATH if it is new enough, 2. the official release, checked
    against its known SHA-256, 3. a build from Pulumi's Go modules, which takes a few minutes. A second run
    continues an interrupted one.
    """
    from tenantry.pulumi_cli import installation
    from tenantry.pulumi_cli.stamps import Stamps
    from tenantry.pulumi_cli.steps import SetupError, locked

    venv = Path(sys.prefix)
    if sys.prefix == sys.base_prefix:
        fail(
            f"{sys.executable} is not in a virtual environment, so `pulumi` cannot be installed beside it. "
            "1. Run `python3 -m venv .venv`. 2. Install Tenantry there. 3. Run "
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
        echo_text("\nInterrupted. Run the same command again to continue.", err=True)
        raise typer.Exit(130) from None
    echo(f"{venv / 'bin' / 'pulumi'} starts {cli}")
