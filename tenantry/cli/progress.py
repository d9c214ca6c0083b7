"""Signs of life of a command that takes more than a moment, on standard error, away from its results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tenantry.cli.output import echo, progress_is_seen

T = TypeVar("T")

READING_FILES = "Reading stack files"
READING_STATES = "Reading states"

SECONDS = 10.0
"""Between two lines where nothing can be redrawn, as in the log of a CI job."""


@contextmanager
def working(doing: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show on standard error what is being done; call what it yields once for each of `total` that is done.

    On a terminal it is one line, which goes at the end. Elsewhere a line comes every ten seconds.
    """
    if not progress_is_seen():
        yield _lines(doing, total)
        return
    counts = (BarColumn(), MofNCompleteColumn()) if total is not None else ()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), *counts, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(doing, total=total)
        yield lambda: shown.advance(task)


def followed(items: Iterable[T], doing: str, total: int) -> Iterator[T]:
    """Yield the items, and show on standard error how many of them are done."""
    with working(doing, total) as step:
        for item in items:
            step()
            yield item


def _lines(doing: str, total: int | None) -> Callable[[], None]:
    done, said = 0, time.monotonic()

    def step() -> None:
        nonlocal done, said
        done += 1
        if time.monotonic() >= said + SECONDS:
            said = time.monotonic()
            echo(f"{doing}: {done} of {total}", err=True)

    return step
