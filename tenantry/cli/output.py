"""What commands print: tables on a terminal, plain columns elsewhere, and errors that end the command."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from tenantry.checks.findings import Finding

COLOURS = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "error": typer.colors.RED}


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Say what is wrong and end the command."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    dim: Sequence[bool] = (),
    spare: Sequence[str] = (),
) -> None:
    """Print rows under columns; `dim` says for each row whether it matters less.

    Columns that are `spare` are left out, one after the other, where a terminal has no room for all.
    Elsewhere no row is wrapped or cut, so that the output can be searched.
    """
    if not sys.stdout.isatty():
        widths = _widths(columns, rows)
        for row in (columns, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            typer.echo("  ".join(cells).rstrip())
        return
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    console = Console()
    shown = list(columns)
    for column in spare:
        if sum(_widths(columns, rows, shown)) + 2 * len(shown) > console.width:
            shown.remove(column)
    headers = (Column(column, overflow="fold") for column in shown)
    table = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for index, row in enumerate(rows):
        style = "dim" if index < len(dim) and dim[index] else ""
        texts = [Text(cell) for column, cell in zip(columns, row, strict=True) if column in shown]
        table.add_row(*texts, style=style)
    console.print(table)


def _widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], shown: Sequence[str] | None = None
) -> list[int]:
    whole = zip(columns, *rows, strict=True)
    return [max(map(len, column)) for column in whole if shown is None or column[0] in shown]


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under columns as a table of Markdown; nothing in a cell can be taken for Markdown."""
    from tenantry.fleet.report.words import inert

    lines = [columns, ["---"] * len(columns), *([inert(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def print_finding(finding: Finding) -> None:
    """Print what a check found: its level, what it is about, and its text, of one line or more."""
    first, *more = str(finding).splitlines()
    level = typer.style(finding.level.ljust(7), fg=COLOURS[finding.level])
    typer.echo(f"  {level}  {finding.about.ljust(12)}  {first}")
    for line in more:
        typer.echo(f"  {'':7}  {'':12}  {line}")
