"""The table of `make bench`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """A figure and its reference. `goal`: the maximum ratio, or None for no goal."""

    what: str
    how: str
    ours: str
    against: str
    ratio: float
    goal: float | None = None

    @property
    def met(self) -> bool:
        """Whether the goal is met; True without a goal."""
        return self.goal is None or self.ratio <= self.goal


def show(rows: Iterable[Row]) -> bool:
    """Print the rows; return True if every goal is met."""
    table = Table("what", "how", "ours", "against", "ratio", "goal", title="Benchmarks")
    met = True
    for row in rows:
        met = met and row.met
        goal = "" if row.goal is None else f"{row.goal:g} {'met' if row.met else 'MISSED'}"
        table.add_row(row.what, row.how, row.ours, row.against, f"{row.ratio:.2f}", goal)
    Console(width=130).print(table)
    return met
