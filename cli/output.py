"""What commands print: tables on a terminal, plain columns elsewhere, and errors that end the command."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Say what is wrong and end the command."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, dim: Sequence[bool] = ()) -> None:
    """Print rows under columns; `dim` says for each row whether it matters less.

    Elsewhere than on a terminal no row is wrapped or cut, so that the output can be searched.
    """
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            typer.echo("  ".join(cells).rstrip())
        return
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    headers = (Column(column, overflow="fold") for column in columns)
    table = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for index, row in enumerate(rows):
        style = "dim" if index < len(dim) and dim[index] else ""
        table.add_row(*map(Text, row), style=style)
    Console().print(table)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under columns as a table of Markdown; nothing in a cell can be taken for Markdown."""
    from fleet.report.words import inert

    lines = [columns, ["---"] * len(columns), *([inert(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
