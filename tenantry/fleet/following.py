"""Followers of a run besides the live display: notifications and traces.

If a follower fails, the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from tenantry.fleet.job import Job
from tenantry.fleet.outcome import Outcome, Report
from tenantry.fleet.pool import Watcher


class Follower(Watcher, Protocol):
    """An observer of a run that also gets its report. `product` names what it produces, such as "Traces"."""

    product: str

    def finish(self, report: Report) -> Iterable[str]:
        """Handle the report, and return lines about failures. Called once, at the end."""


class Followers:
    """A watcher that passes the events of a run to another watcher and to any number of followers.

    A follower that raises an error gets no more events, and `finish` returns a line about it.
    """

    def __init__(self, watcher: Watcher, followers: Iterable[Follower]) -> None:
        self._watcher = watcher
        self._followers = list(followers)
        self._lines: list[str] = []

    def begun(self, job: Job) -> None:
        """Handle the start of a job."""
        self._watcher.begun(job)
        self._notify(lambda follower: follower.begun(job))

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Handle the end of a job."""
        self._watcher.ended(job, outcome)
        self._notify(lambda follower: follower.ended(job, outcome))

    def tick(self) -> None:
        """Do regular work. Called every TICK_SECONDS."""
        self._watcher.tick()
        self._notify(lambda follower: follower.tick())

    def finish(self, report: Report) -> list[str]:
        """Pass the report to all followers, and return the lines about failures."""
        self._notify(lambda follower: self._lines.extend(follower.finish(report)))
        return self._lines

    def _notify(self, call: Callable[[Follower], None]) -> None:
        for follower in list(self._followers):
            try:
                call(follower)
            except Exception as error:  # noqa: BLE001 (a run goes on without its followers)
                self._followers.remove(follower)
                self._lines.append(f"{follower.product} ended early: {type(error).__name__}.")
