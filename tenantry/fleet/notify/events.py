"""What is told of a run. Plain data; `forms` makes of it what each target takes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, get_args

from tenantry.fleet.outcome import Outcome, Report
from tenantry.fleet.report.words import duration, shortened, states, totals
from tenantry.providers.values.words import counted
from tenantry.text import on_one_line

Kind = Literal["begun", "failed", "drifted", "stopped", "ended", "trials"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MAX_STACKS = 50
"""How many stacks an event names; `total` counts all."""
MAX_NOTE_CHARACTERS = 300
"""Characters of what is said of one stack."""


@dataclass(frozen=True)
class StackNote:
    """What an event says of one stack. `code` and `trace_id` are Qlik's."""

    stack: str
    text: str = ""
    code: str = ""
    trace_id: str = ""


@dataclass(frozen=True)
class Run:
    """Which run an event is of. `id` is the same in all of its events."""

    project: str
    operation: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Event:
    """Something to be told. `text` is one line; `stacks` are the first of `total`. `results` counts stacks
    by how they stand; `stopped` is why a run was stopped, `seconds` how long it took.
    """

    kind: Kind
    run: Run
    text: str
    stacks: tuple[StackNote, ...] = ()
    total: int = 0
    results: Mapping[str, int] = field(default_factory=dict)
    stopped: str = ""
    seconds: float | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def begun(run: Run, stacks: int) -> Event:
    """A run has begun."""
    return Event("begun", run, f"{run.operation} of {counted(stacks, 'stack')} has begun", total=stacks)


def failed(run: Run, outcomes: Iterable[Outcome]) -> Event:
    """Stacks have failed since the last such event."""
    said = [_failure(outcome) for outcome in outcomes]
    return _of_stacks("failed", run, f"{run.operation} failed for {counted(len(said), 'stack')}", said)


def drifted(run: Run, outcomes: Iterable[Outcome]) -> Event:
    """Stacks were changed outside of Tenantry."""
    said = [_said(outcome.stack, counted(len(outcome.drift), "resource")) for outcome in outcomes]
    text = f"{counted(len(said), 'stack')} changed outside of Tenantry"
    return _of_stacks("drifted", run, text, said)


def trials(run: Run, lines: Mapping[str, str], within: int) -> Event:
    """Trials have ended, or will within so many days; by stack, what there is to say of each."""
    said = [_said(stack, text) for stack, text in lines.items()]
    text = f"{counted(len(said), 'trial')} ended, or will within {counted(within, 'day')}"
    return _of_stacks("trials", run, text, said)


def stopped(run: Run, report: Report) -> Event:
    """A run was stopped before all stacks had their turn."""
    why = _short(report.stopped)
    left = report.of("not run")
    text = f"{run.operation} was stopped after {duration(report.seconds)}: {why}"
    said = [_said(outcome.stack) for outcome in left]
    return _of_stacks("stopped", run, text, said, stopped=why, seconds=report.seconds)


def ended(run: Run, report: Report) -> Event:
    """A run has ended, whatever came of it."""
    text = f"{run.operation} has ended: {totals(report.outcomes, report.seconds)}"
    return Event(
        "ended",
        run,
        text,
        total=len(report.outcomes),
        results=states(report.outcomes),
        stopped=_short(report.stopped),
        seconds=report.seconds,
    )


def _of_stacks(
    kind: Kind, run: Run, text: str, said: list[StackNote], *, stopped: str = "", seconds: float | None = None
) -> Event:
    return Event(kind, run, text, tuple(said[:MAX_STACKS]), len(said), stopped=stopped, seconds=seconds)


def _failure(of: Outcome) -> StackNote:
    if not of.troubles:
        return _said(of.stack, of.status)
    first = of.troubles[0]
    more = f" (and {len(of.troubles) - 1} more)" if len(of.troubles) > 1 else ""
    said = _said(of.stack, f"{first.line}{more}")
    return StackNote(said.stack, said.text, _short(first.code), _short(first.trace_id))


def _said(stack: str, text: str = "") -> StackNote:
    return StackNote(_short(stack), _short(text))


def _short(text: str) -> str:
    return shortened(on_one_line(text), MAX_NOTE_CHARACTERS)
