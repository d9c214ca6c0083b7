"""A run over many stacks, from the request to the report."""

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
    """The request for a run: the operation, the stacks and the options.

    `arguments` are added to each command. `environments` has environment variables for individual stacks.
    `resume`: skip stacks that succeeded in the last run of this operation, unless their settings or the
    program have changed. `skip_pinned`: skip customers whose own file sets another app version than their
    plan. `skip_expired`: skip trials whose last day has passed. `seconds` is the time limit for one
    stack. `previewed` is the operation that a preview shows. `engine`: run `pulumi` even if nothing
    changes.
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
        """The stacks that the resumed run has finished, with the digests of their settings at that time."""
        last = Journal.last(self.project.name, self.operation) if self.resume else None
        return last.finished(self.code) if last else {}

    @cached_property
    def skip_reasons(self) -> Mapping[str, str]:
        """The stacks to skip, with the reason."""
        members = [member for wave in self.waves for member in wave.members]
        return {member.stack: reason for member in members if (reason := self._skip_reason(member))}

    def _is_done(self, member: Member) -> bool:
        return not member.broken and self.finished.get(member.stack, "-") == member.digest

    def _skip_reason(self, member: Member) -> str:
        if member.broken:
            return ""
        if self._is_done(member):
            return DONE_EARLIER
        if self.skip_expired and member.ends_on and member.has_expired(self.now):
            return (
                f"its trial ended on {member.ends_on.shown}: run `tenantry expire` to take it down, or set a "
                "later `ends_on` to keep it"
            )
        if self.skip_pinned and member.pinned:
            return f"pinned: {', '.join(member.pinned)}"
        return ""

    @cached_property
    def done(self) -> frozenset[str]:
        """The stacks that the resumed run has finished with their current settings."""
        members = [member for wave in self.waves for member in wave.members]
        return frozenset(member.stack for member in members if self._is_done(member))

    @property
    def checks_drift(self) -> bool:
        """Whether the run looks for changes that were made outside of Tenantry."""
        return self.operation == "refresh" or "--refresh" in self.arguments

    @property
    def due(self) -> list[str]:
        """The stacks to work on, wave by wave."""
        stacks = [member.stack for wave in self.waves for member in wave.members]
        return [stack for stack in stacks if stack not in self.skip_reasons]


Gate = Callable[[Sequence[Member]], str]
"""A check after a wave. It returns the reason why the next wave must not begin, or an empty string."""


class RunRefused(TenantryError):
    """The user did not agree to the run, so nothing was done. The message is the reason."""


def run_order(
    order: RunOrder,
    pool: Pool,
    *,
    announce: Callable[[str], None] = lambda _: None,
    consent: Consent | None = None,
    gate: Gate | None = None,
) -> Report:
    """Run the waves one after another, and return a report with every selected stack.

    A wave begins only if `pool` has not stopped. `announce` is called with a line for each wave, and with
    a line if the journal cannot be written. `consent` is called before each wave. `gate` is called after
    the wave, with the stacks that succeeded in this run or in the run that it resumes. Raises RunRefused
    if there is no consent to the first wave, and OSError if the folder for the logs cannot be created.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    skip_reasons, done = (
        order.skip_reasons,
        order.done,
    )  # read these before this run becomes the most recent one
    journal: Journal | None = None
    outcomes: dict[str, Outcome] = {}
    waves: list[WaveTimes] = []
    for number, wave in enumerate(order.waves, start=1):
        due: Sequence[Member] = [member for member in wave.members if member.stack not in skip_reasons]
        if len(order.waves) > 1 and due and not pool.stop:
            announce(f"wave {number} of {len(order.waves)}, {wave.name}: {counted(len(due), 'stack')}")
        consent_outcomes: Sequence[Outcome] = ()
        if consent and due and not pool.stop:
            decision = consent(due, pool.failures_left)
            due, consent_outcomes, pool.stop = decision.members, decision.outcomes, pool.stop or decision.stop
            if pool.stop and journal is None:
                raise RunRefused(pool.stop)
            for outcome in consent_outcomes:
                pool.count(outcome)
        # A refused run gets no journal, so that the last run can still be resumed.
        journal = journal or Journal.begin(order.project.name, order.operation, order.code)
        wave_start = time.monotonic() - clock
        for member in wave.members:
            if reason := skip_reasons.get(member.stack):
                job, is_done = _job(order, member, journal), member.stack in done
                outcomes[member.stack] = job.outcome(status="skipped", remarks=(reason,), done_before=is_done)
                if is_done:
                    _record(journal, job.outcome(), announce)  # so that the next `--resume` skips it too
        for outcome in chain(
            consent_outcomes, pool.run([_job(order, member, journal, wave.name) for member in due])
        ):
            outcomes[outcome.stack] = outcome
            _record(journal, outcome, announce)
        waves.append(_times(wave, outcomes, wave_start, time.monotonic() - clock))
        succeeded = [
            member for member in wave.members if member.stack in done or outcomes[member.stack].status == "ok"
        ]
        if gate and succeeded and not pool.stop:
            # A signal may stop the run during the gate. Its reason takes precedence.
            reason = gate(succeeded)
            pool.stop = pool.stop or reason
    if journal and (logs := journal.logs()):
        announce(f"Logs of failures: {logs}")
    report = Report(
        order.operation,
        tuple(outcomes[name] for name in sorted(outcomes)),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 1),
        stopped=pool.stop,
        removed=order.selection.removed,
        base=order.selection.changes.ref if order.selection.changes else "",
        waves=tuple(wave for wave in waves if wave.stacks),
        looked=order.checks_drift,
    )
    try:
        if journal:  # None if no stack was selected
            journal.end(report)
    except OSError as error:
        announce(f"The report of the run cannot be written: {error.strerror}")
    return report


def _times(wave: Wave, outcomes: Mapping[str, Outcome], start: float, end: float) -> WaveTimes:
    wave_outcomes = [outcomes[member.stack] for member in wave.members]
    stacks = sum(outcome.status not in ("skipped", "not run") for outcome in wave_outcomes)
    failed = sum(outcome.failed for outcome in wave_outcomes)
    return WaveTimes(wave.name, stacks, failed, round(start, 1), round(end - start, 1))


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


def _record(journal: Journal, outcome: Outcome, announce: Callable[[str], None]) -> None:
    try:
        journal.add(outcome)
    except OSError as error:
        announce(
            f"{outcome.stack}: the journal of the run cannot be written: {error.strerror}. "
            "You cannot resume this run."
        )
