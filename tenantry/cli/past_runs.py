"""`tenantry runs`: what was run over many stacks from this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.output import echo, print_json, print_table
from tenantry.cli.projects import current_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.fleet.journal import Journal

COLUMNS = ("run", "when (UTC)", "who", "operation", "stacks", "result", "time")


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(runs)


def runs(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the runs over many stacks that this machine has kept, the newest first.

    The last twenty of each operation are kept, and all of the last day. `tenantry report RUN` shows one of
    them again.
    """
    from tenantry.fleet.journal import Journal

    found = [dict(_facts(run)) for run in Journal.all(current_project().name)]
    if as_json:
        print_json(found)
    elif found:
        print_table(COLUMNS, [_row(each) for each in found], spare=("who", "time"), narrow={"result": 20})
        echo("One of them again: tenantry report RUN", err=True)
    else:
        echo("This machine has kept no run of this project.", err=True)


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
