"""The tables of pages: rows under columns that a reader sorts and filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column. `number`: its cells are aligned as numbers. `choice`: it has few values, to be chosen from.
    `long`: its cells are wrapped.
    """

    name: str
    number: bool = False
    choice: bool = False
    long: bool = False

    @property
    def look(self) -> str:
        """The class of its cells."""
        return "number" if self.number else "long" if self.long else ""


@dataclass(frozen=True)
class Link:
    """A link to a file of this machine: a path from the folder of the page, or a URL."""

    text: str
    to: str


@dataclass(frozen=True)
class Cell:
    """What stands under a column. `small` is a second line in small type. `order` is what rows are sorted
    by, where that is not the text. `look` is a class of `page.css`, such as "failed".
    """

    text: str = ""
    small: str = ""
    order: str | float | None = None
    look: str = ""
    links: Sequence[Link] = ()


@dataclass(frozen=True)
class Row:
    """One row; its first cell names it. `dim`: it matters less."""

    cells: Sequence[Cell]
    dim: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under columns, and what the table is called."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
