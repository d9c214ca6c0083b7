"""The progress of long commands, on standard error."""

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

from tenantry.cli.output import echo, progress_is_visible

T = TypeVar("T")

READING_FILES = "Reading stack files"
READING_STATES = "Reading states"

LINE_INTERVAL_SECONDS = 10.0
"""The time between two lines if the output is not a terminal, such as in the log of a CI job."""


@contextmanager
def working(label: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show progress on standard error. Yields a function to call after each of the `total` items.

    On a terminal, the progress is one line that disappears at the end. Elsewhere it is a line every ten
    seconds.
    """
    if not progress_is_visible():
        yield _lines(label, total)
        return
    counts = (BarColumn(), MofNCompleteColumn()) if total is not None else ()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), *counts, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)


def followed(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Yield the items, and show on standard error how many are done."""
    with working(label, total) as step:
        for item in items:
            step()
            yield item


def _lines(label: str, total: int | None) -> Callable[[], None]:
    done, printed = 0, time.monotonic()

    def step() -> None:
        nonlocal done, printed
        done += 1
        if time.monotonic() >= printed + LINE_INTERVAL_SECONDS:
            printed = time.monotonic()
            echo(f"{label}: {done} of {total}", err=True)

    return step
