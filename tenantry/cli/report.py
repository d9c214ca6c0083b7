"""`tenantry report`: one report from one or more runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.commands import add_command
from tenantry.cli.output import fail
from tenantry.cli.reporting import FAILED, save, show
from tenantry.cli.shared import Output, reports, with_options
from tenantry.settings.project import Project
from tenantry.settings.rules import MAX_LISTED_NAMES, choices

if TYPE_CHECKING:
    from tenantry.fleet.outcome import Report


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, report, example="report shard-1/report.json shard-2/report.json --reports merged")


@with_options(output=reports)
def report(
    output: Output,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN|FILE",
            help="A run from `tenantry runs`, or report.json of a run or of each of its shards.",
            autocompletion=names.runs,
        ),
    ],
    link: Annotated[
        str, typer.Option(metavar="URL", help="URL of the full report. The Markdown links to it.")
    ] = "",
) -> None:
    """Show a past run again, or merge several reports.

    Merges, for example, the reports of shards that ran on several machines, in any order. If a stack is in
    several reports, the run that started last counts. Prints a table of all stacks by default.
    """
    from tenantry.fleet.report import joined

    try:
        merged = joined(map(_report, sources))
    except ValueError as error:
        fail(str(error), code=2)
    show(merged, output.form, link)
    if not save(merged, output.folder, link):
        raise typer.Exit(FAILED)


def _report(name: str) -> Report:
    """Return a report by its file name or run name. The command ends with an error if there is none."""
    from tenantry.fleet.journal import Journal
    from tenantry.fleet.report import read

    file, project = Path(name), Project.of(Path.cwd() / "Pulumi.yaml")
    runs = {run.id: run for run in reversed(Journal.all(project.name))} if project else {}
    if name in runs and not file.exists():
        return runs[name].report()
    try:
        return read(file)
    except FileNotFoundError:
        recent = list(runs)[: -MAX_LISTED_NAMES - 1 : -1]
        suggestion = choices(name, recent, "the last runs are") if recent else ""
        fail(f"There is no file {name}, and no run of that name{suggestion}", code=2)
    except OSError as error:
        fail(f"{error.filename} cannot be read: {error.strerror}", code=2)
    except ValueError as error:
        fail(str(error), code=2)
