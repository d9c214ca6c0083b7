"""A report as a table for terminals and web pages, with one row for each stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.fleet.outcome import Outcome, Report
from tenantry.fleet.report.grouping import split_imports
from tenantry.fleet.report.words import duration, no_changes, state, totals
from tenantry.text import on_one_line

COLUMNS = ("customer", "plan", "+", "~", "-", "± replace", "apps", "result", "time")
"""`apps` counts the apps that are imported again. All other replacements count as `± replace`."""

NUMBERS = frozenset(COLUMNS[2:7]) | {"time"}
"""The columns that hold numbers."""


@dataclass(frozen=True)
class Row:
    """The row of one stack. `cells` are its cells under COLUMNS."""

    outcome: Outcome
    cells: tuple[str, ...]

    @property
    def cells_by_column(self) -> dict[str, str]:
        """The cells by column name."""
        return dict(zip(COLUMNS, self.cells, strict=True))

    @property
    def state(self) -> str:
        """The state of the stack, in a few words."""
        return self.cells_by_column["result"]

    @property
    def dim(self) -> bool:
        """Whether the row is less important, because the stack had no changes or was not run."""
        return self.state in ("up to date", "skipped", "not run")


def rows(report: Report) -> list[Row]:
    """Return a row for each stack, sorted by name."""
    return [_row(outcome) for outcome in sorted(report.outcomes, key=lambda outcome: outcome.stack)]


def _row(outcome: Outcome) -> Row:
    imports, rest = split_imports(outcome)
    counts = Counter(change.operation for change in rest)
    numbers = [*(counts[operation] for operation in ("create", "update", "delete", "replace")), len(imports)]
    cells = (
        on_one_line(outcome.stack),
        on_one_line(outcome.plan),
        *(str(number or "") for number in numbers),
        state(outcome),
        duration(outcome.seconds) if outcome.seconds else "",
    )
    return Row(outcome, cells)


def table_cells(report: Report) -> tuple[Sequence[str], list[tuple[str, ...]], list[bool]]:
    """Return the columns, the rows, and which rows are dim, for the command line.

    No cell is empty, so that columns stay aligned without lines. Errors are not included: see
    `tenantry.fleet.report.text`.
    """
    found = rows(report)
    cells = [tuple(cell or "-" for cell in row.cells) for row in found]
    return COLUMNS, cells, [row.dim for row in found]


def summary(report: Report) -> str:
    """Return the text below the table: "12 stacks: 9 up to date, 2 changed, 1 failed in 1 m 3 s"."""
    line = totals(report.outcomes, report.seconds)
    if report.outcomes and (text := no_changes(report)):
        line += f"\n{text}."
    if report.removed:
        names = ", ".join(sorted(report.removed))
        line += f"\nStacks whose file was removed (their tenants still exist): {on_one_line(names)}"
    if report.stopped:
        line += f"\nStopped: {on_one_line(report.stopped)}."
        if report.operation == "up":
            line += " To continue, run the same command with --resume."
    return line
