"""The events of a run, as plain data. `forms` converts them to the format of each target."""

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
"""How many stacks an event names. `total` counts all."""
MAX_NOTE_CHARACTERS = 300
"""The longest text about one stack."""


@dataclass(frozen=True)
class StackNote:
    """The text of an event about one stack. `code` and `trace_id` come from Qlik."""

    stack: str
    text: str = ""
    code: str = ""
    trace_id: str = ""


@dataclass(frozen=True)
class Run:
    """The run of an event. `id` is the same in all of its events."""

    project: str
    operation: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Event:
    """An event of a run. `text` is one line, and `stacks` are the first of `total` stacks.

    `results` counts the stacks by state. `stopped` is the reason if the run was stopped. `seconds` is its
    duration.
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
    """Return the event for the start of a run."""
    return Event("begun", run, f"{run.operation} of {counted(stacks, 'stack')} has begun", total=stacks)


def failed(run: Run, outcomes: Iterable[Outcome]) -> Event:
    """Return the event for the stacks that failed since the last such event."""
    notes = [_failure_note(outcome) for outcome in outcomes]
    return _of_stacks("failed", run, f"{run.operation} failed for {counted(len(notes), 'stack')}", notes)


def drifted(run: Run, outcomes: Iterable[Outcome]) -> Event:
    """Return the event for stacks that were changed outside of Tenantry."""
    notes = [_note(outcome.stack, counted(len(outcome.drift), "resource")) for outcome in outcomes]
    text = f"{counted(len(notes), 'stack')} changed outside of Tenantry"
    return _of_stacks("drifted", run, text, notes)


def trials(run: Run, lines: Mapping[str, str], within: int) -> Event:
    """Return the event for trials that have ended or will end within this many days.

    `lines` has a text for each stack.
    """
    notes = [_note(stack, text) for stack, text in lines.items()]
    text = f"{counted(len(notes), 'trial')} ended, or will within {counted(within, 'day')}"
    return _of_stacks("trials", run, text, notes)


def stopped(run: Run, report: Report) -> Event:
    """Return the event for a run that stopped before all stacks had their turn."""
    reason = _short(report.stopped)
    not_run = report.of("not run")
    text = f"{run.operation} was stopped after {duration(report.seconds)}: {reason}"
    notes = [_note(outcome.stack) for outcome in not_run]
    return _of_stacks("stopped", run, text, notes, stopped=reason, seconds=report.seconds)


def ended(run: Run, report: Report) -> Event:
    """Return the event for the end of a run, successful or not."""
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
    kind: Kind,
    run: Run,
    text: str,
    notes: list[StackNote],
    *,
    stopped: str = "",
    seconds: float | None = None,
) -> Event:
    return Event(kind, run, text, tuple(notes[:MAX_STACKS]), len(notes), stopped=stopped, seconds=seconds)


def _failure_note(outcome: Outcome) -> StackNote:
    if not outcome.troubles:
        return _note(outcome.stack, outcome.status)
    first = outcome.troubles[0]
    more = f" (and {len(outcome.troubles) - 1} more)" if len(outcome.troubles) > 1 else ""
    note = _note(outcome.stack, f"{first.line}{more}")
    return StackNote(note.stack, note.text, _short(first.code), _short(first.trace_id))


def _note(stack: str, text: str = "") -> StackNote:
    return StackNote(_short(stack), _short(text))


def _short(text: str) -> str:
    return shortened(on_one_line(text), MAX_NOTE_CHARACTERS)
