"""The whole fleet as one web page: the files, states and kept runs of each customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tenantry.fleet import licences, pages
from tenantry.fleet.history import History, PastRun, StackResult, logs
from tenantry.fleet.inventory import StackStatus
from tenantry.fleet.journal import NOT_ENDED
from tenantry.fleet.licences import LicenceUse
from tenantry.fleet.pages.table import Cell, Column, Row, Table, links
from tenantry.fleet.report.lines import trouble
from tenantry.fleet.report.words import duration, shortened, states
from tenantry.fleet.trials import trials_with_tenants
from tenantry.providers.values.words import counted

SOON_DAYS = 14
"""Trials that end within this many days are listed above the table."""

CUSTOMERS = (
    Column("stack"),
    Column("plan", choice=True),
    Column("ring", choice=True),
    Column("tags", long=True),
    Column("versions", long=True),
    Column("result", choice=True, long=True),
    Column("last run"),
    Column("drift"),
    Column("last failure", long=True),
    Column("trial ends"),
    Column("tenant"),
)
LICENCES = tuple(
    Column(name, number=name in ("units", "used"), long=name == "status") for name in licences.COLUMNS
)
RUNS = (
    Column("run"),
    Column("started (UTC)"),
    Column("by", choice=True),
    Column("operation", choice=True),
    Column("stacks", number=True),
    Column("result", long=True),
    Column("time", number=True),
)


@dataclass(frozen=True)
class Fleet:
    """The content of the page.

    `purge_dates` has the purge date of each stack whose tenant was deactivated. `without_file` are the stacks
    in the backend without a file.
    """

    project: str
    now: datetime
    stack_statuses: Sequence[StackStatus]
    history: History
    purge_dates: Mapping[str, str]
    without_file: Sequence[str] = ()
    licences: Sequence[LicenceUse] | None = None
    """None if no licence was read from Qlik."""


def page(fleet: Fleet, folder: Path) -> str:
    """Return the page. `folder` is its future folder, to which its links to logs are relative."""
    rows = [_row(stack_status, fleet, folder) for stack_status in fleet.stack_statuses]
    tables = (
        Table("Customers", CUSTOMERS, rows),
        Table("Licences", LICENCES, list(map(_licence, licences.rows(fleet.licences or ())))),
        Table("Runs", RUNS, [_run(run) for run in fleet.history.runs]),
    )
    return pages.render(
        "status.html.j2",
        title=f"{counted(len(fleet.stack_statuses), 'stack')} of {fleet.project}",
        summary=" · ".join(_summary(fleet)),
        trials=list(_trials(fleet)),
        strays=fleet.without_file,
        tables=[table for table in tables if table.rows],
        wide=True,
    )


def _summary(fleet: Fleet) -> Iterator[str]:
    yield f"as of {fleet.now:%Y-%m-%d %H:%M} UTC"
    yield f"{sum(stack_status.has_tenant for stack_status in fleet.stack_statuses)} with a tenant"
    for name in ("plan", "ring"):
        numbers = Counter(
            getattr(stack_status.member, name) or "none" for stack_status in fleet.stack_statuses
        )
        yield f"{name}: {', '.join(f'{count:,} {value}' for value, count in sorted(numbers.items()))}"
    if fleet.licences is None:
        yield "licence use unknown: add --licences"
    else:
        yield "Qlik counts licence units for all tenants together, not for each customer"
    if broken := sum(
        bool(stack_status.trouble or stack_status.member.broken) for stack_status in fleet.stack_statuses
    ):
        yield f"{counted(broken, 'stack')} whose file or state cannot be read"


def _trials(fleet: Fleet) -> Iterator[str]:
    for trial in trials_with_tenants(fleet.stack_statuses, fleet.now):
        if trial.days <= SOON_DAYS:
            yield f"{trial.member.stack}: {trial.text}"


def _licence(row: Sequence[str]) -> Row:
    unknown = row[2].startswith("unknown")
    return Row(
        [Cell(text, look="failed" if unknown and column == 2 else "") for column, text in enumerate(row)]
    )


def _row(status: StackStatus, fleet: Fleet, folder: Path) -> Row:
    member = status.member
    result, look = _result(status)
    ends = member.ends_on
    purge = fleet.purge_dates.get(member.stack, "")
    none = f"none; Qlik purges it on {purge}" if purge else "none"
    return Row(
        (
            Cell(member.stack, small="" if member.customer == member.stack else member.customer),
            Cell(member.plan),
            Cell(member.ring),
            Cell(", ".join(f"{key}={value}" for key, value in sorted(member.tags.items()))),
            Cell(
                ", ".join(f"{app} {version}" for app, version in sorted(status.versions.items())),
                small=f"pinned: {', '.join(member.pinned)}" if member.pinned else "",
            ),
            Cell(result, small=_details(status), look=look),
            Cell(
                status.at[:16].replace("T", " ") or ("" if status.trouble else "never"),
                small=status.operation,
            ),
            _drift(fleet.history.drift.get(member.stack)),
            _failure(fleet.history.failures.get(member.stack), folder),
            Cell(
                str(ends) if ends else ("" if not member.broken else status.ends_on),
                small=_days_text(ends.days_left(fleet.now)) if ends else "",
            ),
            Cell(status.hostname or ("" if status.trouble else none)),
        ),
        dim=not status.has_tenant,
    )


def _result(status: StackStatus) -> tuple[str, str]:
    """Return the result of a stack in one or two words, and the look of its cell."""
    if status.trouble or status.member.broken:
        return "unreadable", "failed"
    if status.unfinished:
        return "unfinished", "failed"
    if not status.at:
        return "never deployed", ""
    return status.result, "failed" if status.result == "failed" else ""


def _details(status: StackStatus) -> str:
    if status.trouble:
        return shortened(status.trouble)
    if status.member.broken:
        return shortened("; ".join(map(str, status.member.broken.problems)))
    return counted(status.unfinished, "resource") if status.unfinished else ""


def _days_text(days: int) -> str:
    if days < 0:
        return f"{counted(-days, 'day')} ago"
    return f"in {counted(days, 'day')}" if days else "today"


def _drift(result: StackResult | None) -> Cell:
    if result is None:
        return Cell("")
    number = len(result.outcome.drift)
    look = "changing" if number else ""
    return Cell(
        counted(number, "resource") if number else "none",
        small=f"{result.run.operation} {result.start_time}",
        look=look,
    )


def _failure(result: StackResult | None, folder: Path) -> Cell:
    if result is None:
        return Cell("")
    texts = [trouble(error) for error in result.outcome.troubles] or ["no error message"]
    others = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
    return Cell(
        f"{result.run.operation} {result.start_time}",
        small=f"{shortened(texts[0], 200)}{others}",
        look="failed",
        links=links(logs(result.outcome), folder),
    )


def _run(past_run: PastRun) -> Row:
    run, report = past_run.run, past_run.report
    has_ended = report.stopped != NOT_ENDED
    result = ", ".join(f"{count:,} {state}" for state, count in states(report.outcomes).items()) or "nothing"
    return Row(
        (
            Cell(run.id),
            Cell(f"{run.started:%Y-%m-%d %H:%M}"),
            Cell(run.by),
            Cell(run.operation),
            Cell(f"{len(report.outcomes):,}", order=len(report.outcomes)),
            Cell(result, small=report.stopped, look="failed" if report.failed else ""),
            Cell(duration(report.seconds) if has_ended else "", order=report.seconds if has_ended else ""),
        )
    )
