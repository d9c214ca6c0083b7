"""The display of a run in progress, with a line for each running stack and the estimated time left."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live as Screen
from rich.table import Table

from tenantry.cli.output import echo, rich_text
from tenantry.fleet.events import ACTIVITY, StepsInFlight
from tenantry.fleet.report.grouping import split_imports
from tenantry.fleet.report.words import duration, shortened, state
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.fleet.job import Job
    from tenantry.fleet.outcome import Outcome

SYMBOLS = {"create": "+", "update": "~", "delete": "-", "replace": "±"}


class Live:
    """The display of a run of `total` stacks. Use it as a context manager.

    On a terminal, it redraws the lines in place. Elsewhere it prints a line when a stack ends. Everything
    goes to standard error, because standard output is for the report.
    """

    def __init__(self, total: int, at_once: int) -> None:
        self.total, self.at_once = total, at_once
        self.done = self.failed = 0
        self.running: dict[str, Running] = {}
        self.pending_lines: list[str] = []
        self.started = time.monotonic()
        self.screen = _screen()

    def __enter__(self) -> Live:
        if self.screen:
            self.screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._catch_up()
        if self.screen:
            self.screen.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Release the terminal for other code, and do not count that time."""
        began = time.monotonic()
        if self.screen:
            self.screen.stop()
        yield
        self.started += time.monotonic() - began
        if self.screen:
            # The old screen would erase the lines that it drew last, but other lines are there now.
            self.screen = _screen()
        if self.screen:
            self.screen.start()

    def begun(self, job: Job) -> None:
        """Add a line for a stack."""
        self.running[job.member.stack] = Running(job)

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Replace the line of a stack with its result."""
        self.running.pop(job.member.stack, None)
        self.done += 1
        self.failed += outcome.status == "failed"
        self.say(
            f"[{self.done}/{self.total}] {outcome.stack}: {summary(outcome)} ({duration(outcome.seconds)})"
        )

    def say_later(self, line: str) -> None:
        """Print a line at the next tick.

        A signal handler must not print, because it can interrupt another print.
        """
        self.pending_lines.append(line)

    def tick(self) -> None:
        """Redraw all lines."""
        self._catch_up()
        if self.screen:
            self.screen.update(self._lines(), refresh=True)

    def say(self, line: str) -> None:
        """Print a permanent line."""
        if self.screen:
            self.screen.console.print(rich_text(line))
        else:
            echo(line, err=True)

    def _catch_up(self) -> None:
        while self.pending_lines:
            self.say(self.pending_lines.pop(0))

    def _lines(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for stack, running in self.running.items():
            elapsed = f"{time.monotonic() - running.since:.0f} s"
            table.add_row(rich_text(f"  {stack}"), elapsed, rich_text(running.at()))
        failed = f", {self.failed} failed" if self.failed else ""
        total = (
            f"{self.done} of {self.total} done{failed}, {len(self.running)} running{self._time_left(', ')}"
        )
        return Group(table, rich_text(total, style="bold"))

    def _time_left(self, prefix: str) -> str:
        """Return the estimated time left, from the average so far. It is empty after only a few stacks."""
        if self.done < 2 * self.at_once or self.done >= self.total:
            return ""
        seconds = (time.monotonic() - self.started) / self.done * (self.total - self.done)
        return f"{prefix}about {duration(seconds)} left"


def _screen() -> Screen | None:
    """Return a screen that redraws lines in place, if standard error is a terminal."""
    if not sys.stderr.isatty():
        return None
    return Screen(console=Console(stderr=True, highlight=False), auto_refresh=False, transient=True)


def summary(outcome: Outcome) -> str:
    """Return the result of a stack in a few words, which are the same as in the report."""
    if outcome.troubles and outcome.failed:
        others = len(outcome.troubles) - 1
        more = f" (and {others} more)" if others else ""
        # The report has the whole text and the next step.
        return f"{outcome.status}: {shortened(outcome.troubles[0].text)}{more}"
    if outcome.status != "ok":
        return f"{outcome.status}: {'; '.join(outcome.remarks)}"
    imports, rest = split_imports(outcome)
    operations = Counter(change.operation for change in rest)
    counts = [f"{SYMBOLS.get(name, name)}{number}" for name, number in sorted(operations.items())]
    counts += [f"{counted(len(imports), 'app')} imported anew"] if imports else []
    drift = [f"{counted(len(outcome.drift), 'resource')} changed outside"] if outcome.drift else []
    word = [] if drift and not outcome.changes else [state(outcome)]
    return ", ".join([*word, *counts, *drift])


class Running:
    """A running job. Its log is read while it grows."""

    def __init__(self, job: Job) -> None:
        self.since = time.monotonic()
        self._log, self._activity = job.log, ACTIVITY[job.operation]
        self._position = 0
        self._incomplete_line = b""
        self._steps = StepsInFlight(self._activity)

    def at(self) -> str:
        """Return what the job is doing now."""
        with suppress(OSError), self._log.open("rb") as file:
            if file.seek(0, 2) < self._position:  # another command has started a new log
                self._position, self._incomplete_line, self._steps = 0, b"", StepsInFlight(self._activity)
            file.seek(self._position)
            *lines, self._incomplete_line = (self._incomplete_line + file.read()).split(b"\n")
            self._position = file.tell()
            self._steps.take(line.decode("utf-8", "replace") for line in lines)
        return self._steps.text
