"""`tenantry doctor`: a check that this machine is ready."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, print_finding, print_json
from tenantry.providers.values.words import counted


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, doctor, example="doctor")


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Send no request to Qlik Cloud or to a remote backend.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check that this machine is ready to run Tenantry.

    Checks Python, Pulumi, backend, passphrase, credentials, clock and folders. Each line says that something
    works, or what to do. Run it in the folder of your project. It changes nothing and prints no secret. The
    exit code is 1 if there is an error.
    """
    from tenantry.doctor.examination import examine
    from tenantry.settings.project import Project

    found = []
    for finding in examine(Project.of(Path.cwd() / "Pulumi.yaml"), offline=offline):
        found.append(finding)
        if not as_json:
            print_finding(finding)
    counts = {level: sum(finding.level == level for finding in found) for level in ("error", "warning")}
    if as_json:
        rows = [{"level": finding.level, "about": finding.about, "text": finding.text} for finding in found]
        print_json({"findings": rows, **{f"{level}s": count for level, count in counts.items()}})
    else:
        echo(", ".join(counted(count, level) for level, count in counts.items()))
    if counts["error"]:
        raise typer.Exit(1)
