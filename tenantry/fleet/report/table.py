"""A report as a table: one row for each stack, for terminals and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.fleet.outcome import Outcome, Report
from tenantry.fleet.report.grouping import split_imports
from tenantry.fleet.report.words import duration, nothing, state, totals
from tenantry.text import on_one_line

COLUMNS = ("customer", "plan", "+", "~", "-", "± replace", "apps", "result", "time")
"""`apps` are those that are imported anew; whatever else is replaced stands under `± replace`."""

NUMBERS = frozenset(COLUMNS[2:7]) | {"time"}
"""The columns that hold numbers."""


@dataclass(frozen=True)
class Row:
    """One stack. `short` are its cells under COLUMNS."""

    outcome: Outcome
    short: tuple[str, ...]

    @property
    def named(self) -> dict[str, str]:
        """The cells by the names of their columns."""
        return dict(zip(COLUMNS, self.short, strict=True))

    @property
    def state(self) -> str:
        """How the stack stands, in a word."""
        return self.named["result"]

    @property
    def dim(self) -> bool:
        """Whether it matters less: nothing was to do, or it had no turn."""
        return self.state in ("up to date", "skipped", "not run")


def rows(report: Report) -> list[Row]:
    """Return a row for each stack, in the order of names."""
    return [_row(outcome) for outcome in sorted(report.outcomes, key=lambda outcome: outcome.stack)]


def _row(outcome: Outcome) -> Row:
    imports, rest = split_imports(outcome)
    counts = Counter(change.operation for change in rest)
    numbers = [*(counts[operation] for operation in ("create", "update", "delete", "replace")), len(imports)]
    short = (
        on_one_line(outcome.stack),
        on_one_line(outcome.plan),
        *(str(number or "") for number in numbers),
        state(outcome),
        duration(outcome.seconds) if outcome.seconds else "",
    )
    return Row(outcome, short)


def table_cells(report: Report) -> tuple[Sequence[str], list[tuple[str, ...]], list[bool]]:
    """Return columns, rows and which rows are dim, as the command line prints tables.

    No cell is empty, so that also where they are printed without lines each stands in its column. What went
    wrong is not in them: see `tenantry.fleet.report.text`.
    """
    found = rows(report)
    cells = [tuple(cell or "-" for cell in row.short) for row in found]
    return COLUMNS, cells, [row.dim for row in found]


def summary(report: Report) -> str:
    """Return what is below the table: "12 stacks: 9 up to date, 2 changed, 1 failed in 1 m 3 s"."""
    line = totals(report.outcomes, report.seconds)
    if report.outcomes and (none := nothing(report)):
        line += f"\n{none}."
    if report.removed:
        names = ", ".join(sorted(report.removed))
        line += f"\nWithout a stack file now, with a tenant that lives on: {on_one_line(names)}"
    if report.stopped:
        line += f"\nStopped: {on_one_line(report.stopped)}."
        if report.operation == "up":
            line += " The same command with --resume goes on from here."
    return line
