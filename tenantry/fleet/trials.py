"""Trials: which have ended, which will soon, and with which days of grace they are taken down."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenantry.fleet.inventory import Standing
from tenantry.fleet.members import Member
from tenantry.providers.values.limits import GRACE_VARIABLE
from tenantry.providers.values.words import counted


@dataclass(frozen=True)
class Trial:
    """A trial with a tenant. `days` are those until its last day, below 0 once that has passed."""

    member: Member
    standing: Standing
    days: int

    @property
    def over(self) -> bool:
        """Whether its last day has passed."""
        return self.days < 0

    @property
    def text(self) -> str:
        """What there is to say of it."""
        ends = self.member.ends_on.shown if self.member.ends_on else ""
        if self.days == 0:
            return f"ends today, {ends}"
        count = abs(self.days)
        days = counted(count, "day")
        return f"ended on {ends}, {days} ago" if self.over else f"ends on {ends}, in {days}"


def ending(members: Iterable[Member], now: datetime, within: int) -> list[Member]:
    """Return the trials that have ended, or will within so many days."""
    return [member for member in members if member.ends_on and member.ends_on.left(now) <= within]


def with_tenants(standings: Sequence[Standing], now: datetime) -> list[Trial]:
    """Return the trials that have a tenant to be taken down, the longest over first."""
    trials = [
        Trial(standing.member, standing, standing.member.ends_on.left(now))
        for standing in standings
        if standing.up and standing.member.ends_on
    ]
    return sorted(trials, key=lambda trial: (trial.days, trial.member.stack))


def unknown(standings: Sequence[Standing]) -> dict[str, str]:
    """Return why nobody can say of some stacks whether they are over: the state of one cannot be read, or it
    has a trial's tenant and its file is broken.
    """
    found = {standing.member.stack: standing.trouble for standing in standings if standing.trouble}
    for standing in standings:
        if standing.member.broken and standing.up and standing.kind == "trial":
            found[standing.member.stack] = "; ".join(map(str, standing.member.broken.problems))
    return found


def with_grace_of_file(trial: Trial) -> dict[str, str]:
    """Return the environment of a destroy that goes by the days of grace in the file, not by the state's.

    Whoever has set the variable means it, for all of them.
    """
    days = trial.member.grace_days
    return {} if days is None or os.environ.get(GRACE_VARIABLE) else {GRACE_VARIABLE: str(days)}
