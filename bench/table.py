"""The table of `make bench`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """The result of a benchmark and its reference. `goal`: the maximum ratio, or None for no goal."""

    name: str
    details: str
    result: str
    reference: str
    ratio: float
    goal: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the goal is met. True without a goal."""
        return self.goal is None or self.ratio <= self.goal


def show(rows: Iterable[Row]) -> bool:
    """Print the rows. Return True if every goal is met."""
    table = Table("benchmark", "details", "result", "reference", "ratio", "goal", title="Benchmarks")
    all_met = True
    for row in rows:
        all_met = all_met and row.is_met
        goal = "" if row.goal is None else f"{row.goal:g} {'met' if row.is_met else 'MISSED'}"
        table.add_row(row.name, row.details, row.result, row.reference, f"{row.ratio:.2f}", goal)
    Console(width=130).print(table)
    return all_met
