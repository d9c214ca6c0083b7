"""The tables of web pages, which a reader can sort and filter."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Column:
    """A column of a table.

    `number`: align its cells as numbers. `choice`: offer its few values in a list. `long`: wrap its cells.
    """

    name: str
    number: bool = False
    choice: bool = False
    long: bool = False

    @property
    def look(self) -> str:
        """The CSS class of its cells."""
        return "number" if self.number else "long" if self.long else ""


@dataclass(frozen=True)
class Link:
    """A link to a file on this machine: a path relative to the page's folder, or a URL."""

    text: str
    to: str


def links(files: Iterable[Path], folder: Path | None) -> list[Link]:
    """Return links to files: paths relative to the page's folder, or URLs if the folder is unknown."""
    return [Link(file.name, _address(file.resolve(), folder)) for file in files]


def _address(file: Path, folder: Path | None) -> str:
    return quote(os.path.relpath(file, folder.resolve())) if folder else file.as_uri()


@dataclass(frozen=True)
class Cell:
    """A cell.

    `small` is a second line in small type. `order` is the sort key if it is not the text. `look` is a class
    of `page.css`, such as "failed". `bar` draws a bar from one percentage of the width to another.
    """

    text: str = ""
    small: str = ""
    order: str | float | None = None
    look: str = ""
    links: Sequence[Link] = ()
    bar: tuple[float, float] | None = None


@dataclass(frozen=True)
class Row:
    """A row. Its first cell is its heading. `dim`: it is less important."""

    cells: Sequence[Cell]
    dim: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under columns, with a caption."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
