"""What commands print. All of it goes out here, so that no text of others acts on a terminal or a log."""

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

NOTHING: Mapping[str, int] = MappingProxyType({})

COLOURS = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "error": typer.colors.RED}


def echo(line: str = "", *, err: bool = False) -> None:
    """Print one line, to standard error if asked to."""
    typer.echo(for_line(line), err=err)


def echo_text(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print text of any number of lines."""
    typer.echo(for_terminal(text), err=err, nl=nl)


def heading(text: str, *, red: bool = False, err: bool = False) -> None:
    """Print a line in bold type where that can be seen."""
    typer.secho(for_line(text), bold=True, fg=typer.colors.RED if red else None, err=err)


def rich_text(text: str, style: str = "") -> Text:
    """Return text for a screen that Rich draws, in which nothing is taken for its markup."""
    from rich.text import Text

    return Text(for_line(text), style=style)


def fail(message: str, error: Exception | None = None, *, code: int = 1) -> NoReturn:
    """Say what is wrong on one line, and the lines of an error after it, and end the command."""
    told = [for_line(message)] if message else []
    echo_text(": ".join([*told, *([str(error)] if error else [])]), err=True)
    raise typer.Exit(code)


def ask(question: str) -> bool:
    """Ask a question that is answered by yes or no. Raises typer.Abort where the answer is Ctrl-C."""
    with redirect_stdout(sys.stderr):  # the space after the question would be part of the result
        return typer.confirm(for_line(question), err=True)


def prompt(question: str, *, default: str | None = None) -> str:
    """Ask for a text. Raises typer.Abort where the answer is Ctrl-C."""
    return str(typer.prompt(for_line(question), default=default, err=True))


def is_terminal(stream: TextIO) -> bool:
    """Tell whether somebody looks at a stream."""
    return stream.isatty()


def progress_is_seen() -> bool:
    """Tell whether somebody looks at standard error, where commands show how far they are."""
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
    narrow: Mapping[str, int] = NOTHING,
    err: bool = False,
) -> None:
    """Print rows under columns; `dim` says for each row whether it matters less. `err`: on standard error.

    Where a terminal has no room for all, columns that are `narrow` wrap, each in at least so many characters,
    and those that are `spare` are left out, one after the other; what was left out is said on standard error.
    Elsewhere no row is wrapped or cut, so that the output can be searched.
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
    shown = list(columns)
    whole = dict(zip(columns, _widths(columns, rows), strict=True))
    least = {column: min(width, narrow.get(column, width)) for column, width in whole.items()}
    for column in spare:
        if sum(least[each] for each in shown) + 2 * len(shown) > console.width:
            shown.remove(column)
    headers = [
        Column(column, overflow="fold", no_wrap=bool(narrow) and column not in narrow) for column in shown
    ]
    table = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for index, row in enumerate(rows):
        style = "dim" if index < len(dim) and dim[index] else ""
        texts = [rich_text(cell) for column, cell in zip(columns, row, strict=True) if column in shown]
        table.add_row(*texts, style=style)
    console.print(table)
    if left_out := [column for column in columns if column not in shown]:
        typer.echo(f"Left out, as the terminal is narrow: {', '.join(left_out)}.", err=True)


def fitted(text: str, *, err: bool = False) -> list[str]:
    """Return a line as the lines in which a terminal shows it: broken between words, the rest further in.

    Where nobody looks it stays as it is.
    """
    if not is_terminal(sys.stderr if err else sys.stdout):
        return [text]
    from rich.console import Console

    inside = " " * (len(text) - len(text.lstrip()) + 2)
    width = Console(stderr=err).width
    lines = textwrap.wrap(
        text, width, subsequent_indent=inside, break_long_words=False, break_on_hyphens=False
    )
    return lines or [text]


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(columns, *rows, strict=True)]


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under columns as a table of Markdown; nothing in a cell can be taken for Markdown."""
    lines = [columns, ["---"] * len(columns), *([for_markdown(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def print_finding(finding: Finding, below: Sequence[str] = ()) -> None:
    """Print what a check found: its level, what it is about, and its text, of one line or more; `below` are
    lines that follow.
    """
    first, *more = [*(for_terminal(str(finding)).splitlines() or [""]), *map(for_line, below)]
    level = typer.style(finding.level.ljust(7), fg=COLOURS[finding.level])
    typer.echo(f"  {level}  {for_terminal(on_one_line(finding.about)).ljust(12)}  {first}")
    for line in more:
        typer.echo(f"  {'':7}  {'':12}  {line}")
