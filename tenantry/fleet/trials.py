"""The trials that have ended or will end soon, and their grace period."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenantry.fleet.inventory import StackStatus
from tenantry.fleet.members import Member
from tenantry.providers.values.limits import GRACE_VARIABLE
from tenantry.providers.values.words import counted


@dataclass(frozen=True)
class Trial:
    """A trial with a tenant. `days` is how many days are left, below 0 after its last day."""

    member: Member
    stack_status: StackStatus
    days: int

    @property
    def has_ended(self) -> bool:
        """Whether its last day has passed."""
        return self.days < 0

    @property
    def text(self) -> str:
        """When the trial ends, in words."""
        ends = self.member.ends_on.shown if self.member.ends_on else ""
        if self.days == 0:
            return f"ends today, {ends}"
        count = abs(self.days)
        days = counted(count, "day")
        return f"ended on {ends}, {days} ago" if self.has_ended else f"ends on {ends}, in {days}"


def ending_trials(members: Iterable[Member], now: datetime, within: int) -> list[Member]:
    """Return the trials that have ended, or will end within this many days."""
    return [member for member in members if member.ends_on and member.ends_on.days_left(now) <= within]


def trials_with_tenants(stack_statuses: Sequence[StackStatus], now: datetime) -> list[Trial]:
    """Return the trials that have a tenant, sorted by their last day."""
    trials = [
        Trial(stack_status.member, stack_status, stack_status.member.ends_on.days_left(now))
        for stack_status in stack_statuses
        if stack_status.has_tenant and stack_status.member.ends_on
    ]
    return sorted(trials, key=lambda trial: (trial.days, trial.member.stack))


def unreadable_trials(stack_statuses: Sequence[StackStatus]) -> dict[str, str]:
    """Return the stacks that may be ended trials, with the reason why it is unknown.

    Either the state of the stack cannot be read, or the state belongs to a trial and the file is broken.
    """
    reasons = {
        stack_status.member.stack: stack_status.trouble
        for stack_status in stack_statuses
        if stack_status.trouble
    }
    for stack_status in stack_statuses:
        if stack_status.member.broken and stack_status.has_tenant and stack_status.kind == "trial":
            reasons[stack_status.member.stack] = "; ".join(map(str, stack_status.member.broken.problems))
    return reasons


def grace_environment(trial: Trial) -> dict[str, str]:
    """Return the environment for a destroy with the grace period from the file and not from the state.

    Returns an empty environment if the user has set the variable, which then applies to all trials.
    """
    days = trial.member.grace_days
    return {} if days is None or os.environ.get(GRACE_VARIABLE) else {GRACE_VARIABLE: str(days)}
