"""Which locks of a stack may be cleared, and what to do after they are.

Only a lock prevents two runs of a stack at the same time. So a lock whose process is alive on this machine is
never cleared. The state of a process on another machine is unknown. Its lock must be older than the longest
run, plus the time that Qlik may need afterwards.
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
    """Return the age from which a lock of another machine cannot belong to a run any more: about 75 minutes.

    It is the sum of the longest run, the life of a permit to request a tenant, the creation of that tenant,
    the time until Qlik lists it, and the difference between the clocks.
    """
    longest = LONGEST_RUN_SECONDS + PERMIT_SECONDS + creation_seconds() + lag_seconds()
    return timedelta(seconds=longest + CLOCK_SKEW_SECONDS)


@dataclass(frozen=True)
class Verdict:
    """Whether a lock may be cleared, and the reason."""

    lock: Lock
    clear: bool
    text: str

    def __str__(self) -> str:
        return f"{self.lock.holder}: {self.text}"


@dataclass(frozen=True)
class Judge:
    """Decides which locks are stale, at the time `now` on the machine `here`.

    `older_than` is the age from the command line. It applies to the locks of this machine too.
    `may_be_pulumi` tells whether a process of this machine is alive.
    """

    here: str
    now: datetime
    may_be_pulumi: Callable[[int], bool]
    older_than: timedelta | None = None

    def verdict(self, lock: Lock) -> Verdict:
        """Decide whether a lock may be cleared."""
        if lock.host == self.here:
            if self.may_be_pulumi(lock.pid):
                why = f"process {lock.pid} runs on this machine; wait until it ends, or end it"
                return Verdict(lock, False, why)
            what = f"this machine has no `pulumi` process {lock.pid} any more"
            needed = self.older_than
        else:
            what = "another machine took it, and it is unknown whether its run has ended"
            needed = stale_after() if self.older_than is None else self.older_than
        if needed is None:
            return Verdict(lock, True, what)
        if lock.at is None:
            return Verdict(lock, False, f"{what}, and its age is unknown")
        age = self.now - lock.at
        if age <= needed:
            why = f"{what}; it is {minutes(age)} old, but must be older than {minutes(needed)}"
            return Verdict(lock, False, why)
        return Verdict(lock, True, f"{what}; it is {minutes(age)} old, more than {minutes(needed)}")


def minutes(span: timedelta) -> str:
    """Return a duration for messages. A negative duration counts as zero."""
    return f"{max(span, timedelta()).total_seconds() / 60:.0f} min"


def aftermath(stack: str, state: State) -> list[str]:
    """Return lines about the operations that an interrupted run left in the state, and what to do next."""
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
            lines.append("The state has the proof of its tenant, so no run creates a second tenant.")
        else:
            lines += [
                "The state has no proof of the tenant, so Qlik may have created it. Before the next run: "
                "1. run `tenantry orphans`, which lists the tenants that no stack holds,",
                "2. if one belongs to this customer, add its `revive` line to the stack file.",
            ]
    return [*lines, f"Next: {command('pulumi up --stack', stack)}"]


def _creates_tenant(operation: dict[str, Any]) -> bool:
    return bool(operation["type"] == "creating" and operation["resource"]["type"] == TENANT)
