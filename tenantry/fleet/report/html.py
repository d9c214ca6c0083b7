"""A report as one self-contained web page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tenantry.fleet import pages
from tenantry.fleet.history import logs
from tenantry.fleet.outcome import Report, WaveTimes
from tenantry.fleet.pages.table import Cell, Column, Row, Table, links
from tenantry.fleet.report import table
from tenantry.fleet.report.grouping import Page, page
from tenantry.fleet.report.words import duration

MAX_INLINE_NAMES = 6
"""How many stacks a line names. If there are more, their names are folded below it."""

LOOKS = {
    "failed": "failed",
    "interrupted": "interrupted",
    "changed": "changed",
    "taken down": "changed",
    "to change": "changing",
    "changed outside": "changing",
}
"""The CSS class of a cell by the state of its stack."""

CHOICES = ("plan", "result")


WAVES = (
    Column("wave"),
    Column("stacks", number=True),
    Column("failed", number=True),
    Column("began after", number=True),
    Column("took", number=True),
    Column("when"),
)


def html(report: Report, folder: Path | None = None) -> str:
    """Return a report as one HTML page, with every line, every name and every stack.

    It links to the logs of failures on this machine. `folder` is the future folder of the page, to which the
    links are relative.
    """
    content = page(report)
    columns = [Column(name, name in table.NUMBERS, name in CHOICES) for name in table.COLUMNS]
    tables = (
        Table("Waves", WAVES, list(_waves(report.waves))),
        Table("All stacks", columns, [_row(row, folder) for row in table.rows(report)]),
    )
    return pages.render(
        "report.html.j2",
        title=content.title,
        page=content,
        summary=_summary(content, report.started),
        all=[found for found in tables if found.rows],
        inline=MAX_INLINE_NAMES,
    )


def _waves(waves: Sequence[WaveTimes]) -> Iterator[Row]:
    """Yield the timeline of a run with several waves."""
    end = max((wave.began + wave.seconds for wave in waves), default=0.0) or 1.0
    for wave in waves if len(waves) > 1 else ():
        bar = tuple(round(100 * moment / end, 2) for moment in (wave.began, wave.began + wave.seconds))
        yield Row(
            (
                Cell(wave.name),
                Cell(f"{wave.stacks:,}", order=wave.stacks),
                Cell(f"{wave.failed:,}" if wave.failed else "", order=wave.failed),
                Cell(duration(wave.began), order=wave.began),
                Cell(duration(wave.seconds), order=wave.seconds),
                Cell(order=wave.began, bar=(bar[0], bar[1]), look="failed" if wave.failed else ""),
            )
        )


def _row(row: table.Row, folder: Path | None) -> Row:
    return Row([_cell(row, column, folder) for column in table.COLUMNS], row.dim)


def _cell(row: table.Row, column: str, folder: Path | None) -> Cell:
    text, outcome = row.cells_by_column[column], row.outcome
    if column == "customer":
        return Cell(text, small="" if outcome.customer == outcome.stack else outcome.customer)
    if column == "result":
        return Cell(text, look=LOOKS.get(row.state, ""), links=links(logs(outcome), folder))
    if column == "time":
        return Cell(text, order=outcome.seconds or "")
    return Cell(text)


def _summary(content: Page, started: str) -> str:
    parts = [content.summary if content.outcomes else "No stack is affected"]
    if content.no_changes:
        parts.append(content.no_changes)
    if content.base:
        parts.append(f"compared with {content.base}")
    if started:
        parts.append(f"started {started}")
    return " · ".join(parts)
