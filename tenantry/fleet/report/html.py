"""A report as one web page that needs nothing but itself."""

from __future__ import annotations

from tenantry.fleet import pages
from tenantry.fleet.outcome import Report
from tenantry.fleet.pages.table import Cell, Column, Row, Table
from tenantry.fleet.report import table
from tenantry.fleet.report.grouping import Page, page

INLINE = 6
"""The most stacks that are named beside a line; more are folded away below it."""

LOOKS = {
    "failed": "failed",
    "interrupted": "interrupted",
    "changed": "changed",
    "taken down": "changed",
    "to change": "changing",
    "changed outside": "changing",
}
"""The look of a cell by the state of its stack."""

CHOICES = ("plan", "result")


def html(report: Report) -> str:
    """Return a report as one page of HTML, with every line, every name and every stack."""
    told = page(report)
    columns = [Column(name, name in table.NUMBERS, name in CHOICES) for name in table.COLUMNS]
    return pages.render(
        "report.html.j2",
        title=told.title,
        page=told,
        summary=_summary(told, report.started),
        table=Table("All stacks", columns, [_row(each) for each in table.rows(report)]),
        inline=INLINE,
    )


def _row(of: table.Row) -> Row:
    return Row([_cell(of, column) for column in table.COLUMNS], of.dim)


def _cell(of: table.Row, column: str) -> Cell:
    text, outcome = of.named[column], of.outcome
    if column == "customer":
        return Cell(text, small="" if outcome.customer == outcome.stack else outcome.customer)
    if column == "result":
        return Cell(text, look=LOOKS.get(of.state, ""))
    if column == "time":
        return Cell(text, order=outcome.seconds or "")
    return Cell(text)


def _summary(told: Page, started: str) -> str:
    parts = [told.summary if told.outcomes else "No stack is concerned"]
    if told.nothing:
        parts.append(told.nothing)
    if told.base:
        parts.append(f"against {told.base}")
    if started:
        parts.append(f"begun {started}")
    return " · ".join(parts)
