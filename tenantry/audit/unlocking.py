"""Which locks of a stack may be cleared, and what the state says once they are.

A lock is all that keeps two runs of a stack apart. So one whose process is alive here is never cleared. And
as nothing can be known of a process on another machine, its lock must be older than any run of ours can be,
with all that Qlik may still do after it.
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
from tenantry.providers.tenants.permits import LIFE as PERMIT
from tenantry.pulumi_internals.deployment import State, pending_operations, resources
from tenantry.state.entries import TENANT, name_of

LONGEST_RUN = 3600.0
"""Seconds that `tenantry` gives one stack, unless told otherwise by `--timeout`."""

CLOCKS = 300.0
"""Seconds by which the clocks of two machines may differ."""


def stale_after() -> timedelta:
    """Return the age from which the lock of another machine is no longer that of a run of ours.

    The longest run; the permit to ask for a tenant, which a provider may have got at its end; the creation of
    that tenant; the time until Qlik lists it; and what clocks differ by. About 75 minutes.
    """
    return timedelta(seconds=LONGEST_RUN + PERMIT + creation_seconds() + lag_seconds() + CLOCKS)


@dataclass(frozen=True)
class Verdict:
    """Whether a lock may be cleared, and why, or why not."""

    lock: Lock
    clear: bool
    text: str

    def __str__(self) -> str:
        return f"{self.lock.holder}: {self.text}"


@dataclass(frozen=True)
class Judge:
    """Tells stale locks from others: at the moment `now`, on the machine `here`.

    `older_than` is the age that was asked for; it then holds for the locks of this machine as well.
    `may_be_pulumi` tells whether a process of this machine is alive.
    """

    here: str
    now: datetime
    may_be_pulumi: Callable[[int], bool]
    older_than: timedelta | None = None

    def verdict(self, lock: Lock) -> Verdict:
        """Judge a lock."""
        if lock.host == self.here:
            if self.may_be_pulumi(lock.pid):
                why = f"process {lock.pid} runs on this machine; wait for its end, or end it"
                return Verdict(lock, False, why)
            what = f"no `pulumi` of the process id {lock.pid} is on this machine any more"
            needed = self.older_than
        else:
            what = "another machine took it, and nothing here tells whether its run is over"
            needed = stale_after() if self.older_than is None else self.older_than
        if needed is None:
            return Verdict(lock, True, what)
        if lock.at is None:
            return Verdict(lock, False, f"{what}, and its age is not known")
        age = self.now - lock.at
        if age <= needed:
            why = f"{what}; it is {minutes(age)} old, and must be older than {minutes(needed)}"
            return Verdict(lock, False, why)
        return Verdict(lock, True, f"{what}; it is {minutes(age)} old, more than {minutes(needed)}")


def minutes(span: timedelta) -> str:
    """Return a span of time as messages show it; one that is still to come has not begun."""
    return f"{max(span, timedelta()).total_seconds() / 60:.0f} min"


def aftermath(stack: str, state: State) -> list[str]:
    """Return what there is to say of the operations that a run was cut off at; they stay as they are."""
    pending = pending_operations(state)
    if not pending:
        return []
    lines = [
        f"A run was cut off while {each['type']} {name_of(each['resource']['urn'])}." for each in pending
    ]
    there = {each["urn"]: each["type"] for each in resources(state)}
    if any(_creates_tenant(each) and each["resource"]["urn"] not in there for each in pending):
        if PROOF in there.values():
            lines.append("The state has the proof of its tenant, so no run asks Qlik a second time on it.")
        else:
            lines += [
                "The state has no proof of when Qlik was asked for the tenant, so it may have been made. "
                "Look before the next run: `tenantry orphans` lists the tenants that no stack holds.",
                "If one is this customer's, put its `revive` line into the stack file first.",
            ]
    return [*lines, f"Go on with: {command('pulumi up --stack', stack)}"]


def _creates_tenant(operation: dict[str, Any]) -> bool:
    return bool(operation["type"] == "creating" and operation["resource"]["type"] == TENANT)
