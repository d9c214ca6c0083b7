"""The tables of pages: rows under columns that a reader sorts and filters."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


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


def links(files: Iterable[Path], folder: Path | None) -> list[Link]:
    """Return links to files: as paths from the folder of the page; as URLs where the page is in no folder
    yet.
    """
    return [Link(file.name, _address(file.resolve(), folder)) for file in files]


def _address(file: Path, folder: Path | None) -> str:
    return quote(os.path.relpath(file, folder.resolve())) if folder else file.as_uri()


@dataclass(frozen=True)
class Cell:
    """What stands under a column. `small` is a second line in small type. `order` is what rows are sorted
    by, where that is not the text. `look` is a class of `page.css`, such as "failed". `bar`: a bar from one
    part of the width to another, both of 100.
    """

    text: str = ""
    small: str = ""
    order: str | float | None = None
    look: str = ""
    links: Sequence[Link] = ()
    bar: tuple[float, float] | None = None


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
