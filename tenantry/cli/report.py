"""`tenantry report`: the reports of several runs as one, in the form that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.output import fail
from tenantry.cli.reporting import FAILED, save, show
from tenantry.cli.shared import Output, reports, takes

if TYPE_CHECKING:
    from tenantry.fleet.outcome import Report


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(report)


@takes(output=reports)
def report(
    output: Output,
    files: Annotated[list[Path], typer.Argument(help="report.json of one run, or of each of its shards.")],
    link: Annotated[
        str, typer.Option(metavar="URL", help="Where the whole report will be; the Markdown refers to it.")
    ] = "",
) -> None:
    """Merge reports, such as those of shards that ran on several machines, and show them as one.

    Prints a table of all stacks unless told otherwise. The order of the files makes no difference. Where two
    tell of the same stack, the run that was begun later counts.
    """
    merged = _read(files)
    show(merged, output.form, link)
    if not save(merged, output.folder, link):
        raise typer.Exit(FAILED)


def _read(files: list[Path]) -> Report:
    from tenantry.fleet.report import read

    try:
        return read(files)
    except OSError as error:
        fail(f"{error.filename} cannot be read: {error.strerror}", code=2)
    except ValueError as error:
        fail(str(error), code=2)
