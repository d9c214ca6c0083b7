"""A run over many stacks, from what is wanted to the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from fleet.changes import code_digest
from fleet.job import SECONDS, Job
from fleet.journal import Journal
from fleet.members import Member
from fleet.outcome import Operation, Outcome, Report
from fleet.pool import Pool
from fleet.selection import Selection
from fleet.waves import Wave
from stacks.project import Project


@dataclass(frozen=True)
class Order:
    """What is to be done with which stacks.

    `arguments` are added to each command. `resume`: leave out what went well in the last run of the same
    operation, unless its settings or the program are others now. `hold_pinned`: leave out customers who hold
    the version of an app against their plan; `hold_expired`: trials whose last day has passed. `seconds` is
    the longest that one stack may take.
    """

    operation: Operation
    project: Project
    root: Path
    selection: Selection
    waves: Sequence[Wave]
    arguments: Sequence[str] = ()
    resume: bool = False
    hold_pinned: bool = False
    hold_expired: bool = False
    seconds: float = SECONDS
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


def carry_out(order: Order, pool: Pool, *, announce: Callable[[str], None] = lambda _: None) -> Report:
    """Do the work, one wave after the other, and return what became of every selected stack.

    A wave begins only if `pool` was not stopped by then. `announce` is told of each wave, and of a journal
    that cannot be kept. Raises OSError if there is no place for the logs.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    code = code_digest(order.root)
    last = Journal.last(order.project.name, order.operation) if order.resume else None
    finished = last.finished(code) if last else {}
    journal = Journal.begin(order.project.name, order.operation, code)
    outcomes: dict[str, Outcome] = {}
    for number, wave in enumerate(order.waves, start=1):
        jobs = []
        for member in wave.members:
            job = _job(order, member, journal)
            why = _why_not(order, member, finished)
            if why:
                outcomes[member.stack] = job.outcome(status="skipped", remarks=(why,))
            else:
                jobs.append(job)
        if len(order.waves) > 1 and jobs and not pool.stop:
            announce(
                f"wave {number} of {len(order.waves)}, {wave.name}: {len(jobs)} stack{'s'[: len(jobs) != 1]}"
            )
        for outcome in pool.run(jobs):
            outcomes[outcome.stack] = outcome
            _note(journal, outcome, announce)
    return Report(
        order.operation,
        tuple(outcomes[name] for name in sorted(outcomes)),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 1),
        stopped=pool.stop,
        removed=order.selection.removed,
        base=order.selection.changes.ref if order.selection.changes else "",
    )


def _job(order: Order, member: Member, journal: Journal) -> Job:
    return Job(
        order.operation,
        member,
        order.project.name,
        order.root,
        journal.folder_of(member.stack),
        tuple(order.arguments),
        seconds=order.seconds,
    )


def _why_not(order: Order, member: Member, finished: dict[str, str]) -> str:
    """Return why a stack is left out, if it is."""
    if member.broken:
        return ""
    if finished.get(member.stack, "-") == member.digest:
        return "done in the run before this one"
    if order.hold_expired and member.expired(order.today):
        return (
            f"its trial ended on {member.ends_on}: `tenantry expire` takes it down, a later ends_on keeps it"
        )
    if order.hold_pinned and member.pinned:
        return f"pinned: {', '.join(member.pinned)}"
    return ""


def _note(journal: Journal, outcome: Outcome, announce: Callable[[str], None]) -> None:
    try:
        journal.add(outcome)
    except OSError as error:
        announce(f"{outcome.stack}: the run's journal cannot be kept: {error.strerror}; it cannot be resumed")
