"""Rules for clearing the locks of a stack, and the next steps afterwards.

Only a lock prevents two runs of a stack at the same time. So a lock is never cleared if its process is alive
on this machine. It is unknown whether a process on another machine is alive. So its lock must be older than
the longest run, plus the time that Qlik may need afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenantry.audit.findings import command
from tenantry.audit.holdings import PROOF
from tenantry.audit.locks import Lock
from tenantry.providers.framework.waiting import creation_seconds, lag_seconds
from tenantry.providers.tenants.permits import PERMIT_SECONDS
from tenantry.pulumi_internals.deployment import State, pending_operations, resources
from tenantry.state.entries import TENANT, name_of

LONGEST_RUN_SECONDS = 3600.0
"""The default of `--timeout`: the longest time for one stack."""

CLOCK_SKEW_SECONDS = 300.0
"""The largest difference between the clocks of two machines."""


def stale_after() -> timedelta:
    """Return the age above which a lock of another machine cannot belong to an active run: about 75 minutes.

    It is the sum of the longest run, the life of a permit to request a tenant, the creation of that tenant,
    the time until Qlik lists it, and the difference between the clocks.
    """
    longest = LONGEST_RUN_SECONDS + PERMIT_SECONDS + creation_seconds() + lag_seconds()
    return timedelta(seconds=longest + CLOCK_SKEW_SECONDS)


@dataclass(frozen=True)
class Verdict:
    """The decision about a lock: whether it may be cleared, and the reason."""

    lock: Lock
    may_be_cleared: bool
    text: str

    def __str__(self) -> str:
        return f"{self.lock.holder}: {self.text}"


@dataclass(frozen=True)
class Judge:
    """A judge that decides which locks are stale, at the time `now` on the machine `hostname`.

    `older_than` is the age from the command line. It also applies to the locks of this machine.
    `may_be_pulumi` tells whether a process of this machine is alive and may be `pulumi`.
    """

    hostname: str
    now: datetime
    may_be_pulumi: Callable[[int], bool]
    older_than: timedelta | None = None

    def verdict(self, lock: Lock) -> Verdict:
        """Decide whether a lock may be cleared."""
        if lock.host == self.hostname:
            if self.may_be_pulumi(lock.pid):
                reason = f"process {lock.pid} runs on this machine; wait until it ends, or end it"
                return Verdict(lock, False, reason)
            situation = f"this machine has no `pulumi` process {lock.pid} any more"
            required_age = self.older_than
        else:
            situation = "another machine took it, and it is unknown whether its run has ended"
            required_age = stale_after() if self.older_than is None else self.older_than
        if required_age is None:
            return Verdict(lock, True, situation)
        if lock.at is None:
            return Verdict(lock, False, f"{situation}, and its age is unknown")
        age = self.now - lock.at
        if age <= required_age:
            reason = (
                f"{situation}; it is {format_minutes(age)} old, but must be older than "
                f"{format_minutes(required_age)}"
            )
            return Verdict(lock, False, reason)
        return Verdict(
            lock,
            True,
            f"{situation}; it is {format_minutes(age)} old, more than {format_minutes(required_age)}",
        )


def format_minutes(span: timedelta) -> str:
    """Return a duration as text, such as "75 min". A negative duration counts as zero."""
    return f"{max(span, timedelta()).total_seconds() / 60:.0f} min"


def describe_pending_operations(stack: str, state: State) -> list[str]:
    """Return lines about the operations that an interrupted run left in the state, and the next step."""
    pending = pending_operations(state)
    if not pending:
        return []
    lines = [
        f"A run was interrupted while {operation['type']} {name_of(operation['resource']['urn'])}."
        for operation in pending
    ]
    recorded = {resource["urn"]: resource["type"] for resource in resources(state)}
    if any(
        _creates_tenant(operation) and operation["resource"]["urn"] not in recorded for operation in pending
    ):
        if PROOF in recorded.values():
            lines.append("The state has the proof of this tenant, so no run creates a second one.")
        else:
            lines += [
                "The state has no proof of the tenant, so no run can tell whether Qlik created it. "
                "Before the next run: "
                "1. run `tenantry orphans`, which lists the tenants that no stack holds,",
                "2. if one belongs to this customer, add its `revive` line to the stack file.",
            ]
    return [*lines, f"Next: {command('pulumi up --stack', stack)}"]


def _creates_tenant(operation: dict[str, Any]) -> bool:
    return bool(operation["type"] == "creating" and operation["resource"]["type"] == TENANT)
