"""All output of commands. It is escaped, so that no text from outside can control a terminal or a log."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer

from tenantry.text import for_line, for_markdown, for_terminal, on_one_line

if TYPE_CHECKING:
    from rich.text import Text

    from tenantry.checks.findings import Finding

NO_WIDTHS: Mapping[str, int] = MappingProxyType({})

COLOURS = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "error": typer.colors.RED}


def echo(line: str = "", *, err: bool = False) -> None:
    """Print one line, to standard error if `err` is set."""
    typer.echo(for_line(line), err=err)


def echo_text(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print text of one or more lines."""
    typer.echo(for_terminal(text), err=err, nl=nl)


def heading(text: str, *, red: bool = False, err: bool = False) -> None:
    """Print a line, in bold on a terminal."""
    typer.secho(for_line(text), bold=True, fg=typer.colors.RED if red else None, err=err)


def rich_text(text: str, style: str = "") -> Text:
    """Return text for Rich, in which markup is not interpreted."""
    from rich.text import Text

    return Text(for_line(text), style=style)


def fail(message: str, error: Exception | None = None, *, code: int = 1) -> NoReturn:
    """Print a message on one line, then the text of an error, and end the command."""
    parts = [for_line(message)] if message else []
    echo_text(": ".join([*parts, *([str(error)] if error else [])]), err=True)
    raise typer.Exit(code)


def ask(question: str) -> bool:
    """Ask a yes/no question. Raises typer.Abort for Ctrl-C."""
    with redirect_stdout(sys.stderr):  # otherwise the space after the question goes to standard output
        return typer.confirm(for_line(question), err=True)


def prompt(question: str, *, default: str | None = None) -> str:
    """Ask for text. Raises typer.Abort for Ctrl-C."""
    return str(typer.prompt(for_line(question), default=default, err=True))


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal."""
    return stream.isatty()


def progress_is_visible() -> bool:
    """Tell whether standard error, where commands show their progress, is a terminal."""
    return is_terminal(sys.stderr)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    echo_text(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    dim: Sequence[bool] = (),
    spare: Sequence[str] = (),
    narrow: Mapping[str, int] = NO_WIDTHS,
    err: bool = False,
) -> None:
    """Print rows under columns, on standard error if `err` is set. `dim` marks the less important rows.

    On a narrow terminal, the columns in `narrow` wrap to their width, and the columns in `spare` are left out
    one by one. A line on standard error names them. Elsewhere no row is wrapped or cut, so that the output
    can be searched.
    """
    rows = [[on_one_line(cell) for cell in row] for row in rows]
    if not is_terminal(sys.stderr if err else sys.stdout):
        widths = _widths(columns, rows)
        for row in (columns, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            echo("  ".join(cells).rstrip(), err=err)
        return
    from rich.console import Console
    from rich.table import Column, Table

    console = Console(stderr=err)
    shown_columns = list(columns)
    full_widths = dict(zip(columns, _widths(columns, rows), strict=True))
    min_widths = {column: min(width, narrow.get(column, width)) for column, width in full_widths.items()}
    for column in spare:
        if sum(min_widths[name] for name in shown_columns) + 2 * len(shown_columns) > console.width:
            shown_columns.remove(column)
    headers = [
        Column(column, overflow="fold", no_wrap=bool(narrow) and column not in narrow)
        for column in shown_columns
    ]
    table = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for index, row in enumerate(rows):
        style = "dim" if index < len(dim) and dim[index] else ""
        texts = [
            rich_text(cell) for column, cell in zip(columns, row, strict=True) if column in shown_columns
        ]
        table.add_row(*texts, style=style)
    console.print(table)
    if left_out := [column for column in columns if column not in shown_columns]:
        typer.echo(f"Columns that do not fit on this terminal: {', '.join(left_out)}.", err=True)


def fitted(text: str, *, err: bool = False) -> list[str]:
    """Wrap a line to the width of the terminal, with the following lines indented.

    If the output is not a terminal, the line stays unchanged.
    """
    if not is_terminal(sys.stderr if err else sys.stdout):
        return [text]
    from rich.console import Console

    indent = " " * (len(text) - len(text.lstrip()) + 2)
    width = Console(stderr=err).width
    lines = textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return lines or [text]


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(columns, *rows, strict=True)]


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under columns as a Markdown table. The text in cells is escaped."""
    lines = [columns, ["---"] * len(columns), *([for_markdown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def print_finding(finding: Finding, below: Sequence[str] = ()) -> None:
    """Print the finding of a check: its level, its subject and its text, then the lines in `below`."""
    first, *rest = [*(for_terminal(str(finding)).splitlines() or [""]), *map(for_line, below)]
    level = typer.style(finding.level.ljust(7), fg=COLOURS[finding.level])
    typer.echo(f"  {level}  {for_terminal(on_one_line(finding.about)).ljust(12)}  {first}")
    for line in rest:
        typer.echo(f"  {'':7}  {'':12}  {line}")
