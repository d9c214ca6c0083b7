"""A run over many stacks, from what is wanted to the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path

from tenantry.errors import TenantryError
from tenantry.fleet.changes import code_digest
from tenantry.fleet.consent import Consent
from tenantry.fleet.job import DEFAULT_TIMEOUT_SECONDS, Job
from tenantry.fleet.journal import Journal
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import DONE_EARLIER, Operation, Outcome, Report, WaveTimes
from tenantry.fleet.pool import Pool
from tenantry.fleet.selection import Selection
from tenantry.fleet.waves import Wave
from tenantry.providers.values.words import counted
from tenantry.settings.project import Project


@dataclass(frozen=True)
class RunOrder:
    """What is to be done with which stacks.

    `arguments` are added to each command, `environments` to the environment of those of a stack. `resume`:
    leave out what went well in the last run of the same operation, unless its settings or the program are
    others now. `skip_pinned`: leave out customers who hold the version of an app against their plan;
    `skip_expired`: trials whose last day has passed. `seconds` is the longest that one stack may take.
    `previewed`: of a preview, what it is one of. `engine`: run `pulumi` even where nothing would change.
    """

    operation: Operation
    project: Project
    root: Path
    selection: Selection
    waves: Sequence[Wave]
    arguments: Sequence[str] = ()
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    resume: bool = False
    skip_pinned: bool = False
    skip_expired: bool = False
    seconds: float = DEFAULT_TIMEOUT_SECONDS
    previewed: Operation = "up"
    engine: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def code(self) -> str:
        """A digest of the program."""
        return code_digest(self.root)

    @cached_property
    def finished(self) -> Mapping[str, str]:
        """The stacks that need not be done again, and the digests of their settings."""
        last = Journal.last(self.project.name, self.operation) if self.resume else None
        return last.finished(self.code) if last else {}

    @cached_property
    def left_out(self) -> Mapping[str, str]:
        """The stacks that have no turn, and why."""
        members = [member for wave in self.waves for member in wave.members]
        return {member.stack: why for member in members if (why := self._why_not(member))}

    def _is_done(self, member: Member) -> bool:
        return not member.broken and self.finished.get(member.stack, "-") == member.digest

    def _why_not(self, member: Member) -> str:
        if member.broken:
            return ""
        if self._is_done(member):
            return DONE_EARLIER
        if self.skip_expired and member.ends_on and member.expired(self.now):
            return (
                f"its trial ended on {member.ends_on.shown}: `tenantry expire` takes it down, if that was "
                "not done; a later ends_on keeps it"
            )
        if self.skip_pinned and member.pinned:
            return f"pinned: {', '.join(member.pinned)}"
        return ""

    @cached_property
    def done(self) -> frozenset[str]:
        """The stacks that the run which this one resumes has done, with the settings that they have now."""
        members = [member for wave in self.waves for member in wave.members]
        return frozenset(member.stack for member in members if self._is_done(member))

    @property
    def looks(self) -> bool:
        """Whether Qlik is asked for what was changed outside of here."""
        return self.operation == "refresh" or "--refresh" in self.arguments

    @property
    def due(self) -> list[str]:
        """The stacks that have a turn, wave by wave."""
        stacks = [member.stack for wave in self.waves for member in wave.members]
        return [stack for stack in stacks if stack not in self.left_out]


Gate = Callable[[Sequence[Member]], str]
"""Looks at the stacks of a wave after it, and returns why the next one must not begin; nothing if it may."""


class RunRefused(TenantryError):
    """The run was to be agreed to and was not, before anything was done; the message is the reason."""


def run_order(
    order: RunOrder,
    pool: Pool,
    *,
    announce: Callable[[str], None] = lambda _: None,
    consent: Consent | None = None,
    gate: Gate | None = None,
) -> Report:
    """Do the work, one wave after the other, and return what became of every selected stack.

    A wave begins only if `pool` was not stopped by then. `announce` is told of each wave, and of a journal
    that cannot be kept. `consent` is asked before each wave; `gate` looks after it at what is well, also by
    an earlier run that this one resumes. Raises Refused if there is no consent to the first wave, and OSError
    if there is no place for the logs.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    left_out, done = order.left_out, order.done  # before this run is the last one
    journal: Journal | None = None
    outcomes: dict[str, Outcome] = {}
    waves: list[WaveTimes] = []
    for number, wave in enumerate(order.waves, start=1):
        due: Sequence[Member] = [member for member in wave.members if member.stack not in left_out]
        if len(order.waves) > 1 and due and not pool.stop:
            announce(f"wave {number} of {len(order.waves)}, {wave.name}: {counted(len(due), 'stack')}")
        decided: Sequence[Outcome] = ()
        if consent and due and not pool.stop:
            agreed = consent(due, pool.failures_left)
            due, decided, pool.stop = agreed.members, agreed.outcomes, pool.stop or agreed.stop
            if pool.stop and journal is None:
                raise RunRefused(pool.stop)
            for outcome in decided:
                pool.count(outcome)
        # A run that was not agreed to is none: the last one can still be resumed.
        journal = journal or Journal.begin(order.project.name, order.operation, order.code)
        began = time.monotonic() - clock
        for member in wave.members:
            if why := left_out.get(member.stack):
                job, is_done = _job(order, member, journal), member.stack in done
                outcomes[member.stack] = job.outcome(status="skipped", remarks=(why,), done_before=is_done)
                if is_done:
                    _note(journal, job.outcome(), announce)  # so that a second resumption leaves it out, too
        for outcome in chain(decided, pool.run([_job(order, member, journal, wave.name) for member in due])):
            outcomes[outcome.stack] = outcome
            _note(journal, outcome, announce)
        waves.append(_times(wave, outcomes, began, time.monotonic() - clock))
        ready = [
            member for member in wave.members if member.stack in done or outcomes[member.stack].status == "ok"
        ]
        if gate and ready and not pool.stop:
            # Asked first: a signal may stop the run meanwhile, and that goes before.
            closed = gate(ready)
            pool.stop = pool.stop or closed
    if journal and (logs := journal.logs()):
        announce(f"Logs of what failed: {logs}")
    report = Report(
        order.operation,
        tuple(outcomes[name] for name in sorted(outcomes)),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 1),
        stopped=pool.stop,
        removed=order.selection.removed,
        base=order.selection.changes.ref if order.selection.changes else "",
        waves=tuple(wave for wave in waves if wave.stacks),
        looked=order.looks,
    )
    try:
        if journal:  # there is none where no stack was selected
            journal.end(report)
    except OSError as error:
        announce(f"The report of the run cannot be kept: {error.strerror}")
    return report


def _times(wave: Wave, outcomes: Mapping[str, Outcome], began: float, ended: float) -> WaveTimes:
    done = [outcomes[member.stack] for member in wave.members]
    stacks = sum(outcome.status not in ("skipped", "not run") for outcome in done)
    failed = sum(outcome.failed for outcome in done)
    return WaveTimes(wave.name, stacks, failed, round(began, 1), round(ended - began, 1))


def _job(order: RunOrder, member: Member, journal: Journal, wave: str = "") -> Job:
    return Job(
        order.operation,
        member,
        order.project.name,
        order.root,
        journal.folder_of(member.stack),
        tuple(order.arguments),
        order.environments.get(member.stack, {}),
        seconds=order.seconds,
        previewed=order.previewed,
        engine=order.engine,
        wave=wave,
    )


def _note(journal: Journal, outcome: Outcome, announce: Callable[[str], None]) -> None:
    try:
        journal.add(outcome)
    except OSError as error:
        announce(f"{outcome.stack}: the run's journal cannot be kept: {error.strerror}; it cannot be resumed")
