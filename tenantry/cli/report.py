"""`tenantry report`: the reports of several runs as one, in the form that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.output import fail
from tenantry.cli.reporting import FAILED, save, show
from tenantry.cli.shared import Output, reports, takes
from tenantry.settings.project import Project
from tenantry.settings.rules import FEW, choices

if TYPE_CHECKING:
    from tenantry.fleet.outcome import Report


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(report)


@takes(output=reports)
def report(
    output: Output,
    of: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN|FILE...",
            help="A run that `tenantry runs` lists, or report.json of a run or of each of its shards.",
            autocompletion=names.runs,
        ),
    ],
    link: Annotated[
        str, typer.Option(metavar="URL", help="Where the whole report will be; the Markdown refers to it.")
    ] = "",
) -> None:
    """Show a run of this machine again, or merge reports, such as those of shards on several machines.

    Prints a table of all stacks unless told otherwise. The order of the files makes no difference. Where two
    tell of the same stack, the run that was begun later counts.
    """
    from tenantry.fleet.report import joined

    try:
        merged = joined(map(_report, of))
    except ValueError as error:
        fail(str(error), code=2)
    show(merged, output.form, link)
    if not save(merged, output.folder, link):
        raise typer.Exit(FAILED)


def _report(named: str) -> Report:
    """Return a report that is named by its file or by its run; the command ends if there is none."""
    from tenantry.fleet.journal import Journal
    from tenantry.fleet.report import read

    file, project = Path(named), Project.of(Path.cwd() / "Pulumi.yaml")
    kept = {run.id: run for run in reversed(Journal.all(project.name))} if project else {}
    if named in kept and not file.exists():
        return kept[named].report()
    try:
        return read(file)
    except FileNotFoundError:
        last = list(kept)[: -FEW - 1 : -1]
        there = choices(named, last, "the last runs are") if last else ""
        fail(f"There is no file {named}, and no run of that name{there}", code=2)
    except OSError as error:
        fail(f"{error.filename} cannot be read: {error.strerror}", code=2)
    except ValueError as error:
        fail(str(error), code=2)
