"""`tenantry runs`: the past runs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, print_json, print_table
from tenantry.cli.projects import current_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.fleet.journal import Journal

COLUMNS = ("run", "when (UTC)", "who", "operation", "stacks", "result", "time")


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, runs, example="runs")


def runs(
    as_json: Annotated[bool, typer.Option("--json", help="Print the runs as JSON.")] = False,
) -> None:
    """List the past runs that this machine has kept.

    The newest run comes first. The machine keeps the last twenty runs of each operation, and all runs of the
    last day. `tenantry report RUN` shows one of them again.
    """
    from tenantry.fleet.journal import Journal

    rows = [dict(_facts(run)) for run in Journal.all(current_project().name)]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(COLUMNS, [_row(facts) for facts in rows], spare=("who", "time"), narrow={"result": 20})
        echo("To show one of them again: tenantry report RUN", err=True)
    else:
        echo("This machine has no past runs of this project.", err=True)


def _facts(run: Journal) -> Iterator[tuple[str, Any]]:
    from tenantry.fleet.journal import NOT_ENDED
    from tenantry.fleet.report.words import states

    report = run.report()
    yield "run", run.id
    yield "started", run.started.isoformat(timespec="seconds")
    yield "by", run.by
    yield "operation", run.operation
    yield "stacks", len(report.outcomes)
    yield "ended", report.stopped != NOT_ENDED
    yield "stopped", report.stopped
    yield "result", states(report.outcomes)
    yield "seconds", report.seconds


def _row(facts: dict[str, Any]) -> tuple[str, ...]:
    from tenantry.fleet.report.words import duration

    result = ", ".join(f"{count} {state}" for state, count in facts["result"].items()) or "nothing"
    return (
        facts["run"],
        facts["started"][:16].replace("T", " "),
        facts["by"],
        facts["operation"],
        str(facts["stacks"]),
        result if facts["ended"] else f"not ended: {result}",
        duration(facts["seconds"]) if facts["ended"] else "",
    )
