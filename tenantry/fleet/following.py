"""Who follows a run besides the live display: notifications, traces. Whatever goes wrong there, the run
goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from tenantry.fleet.job import Job
from tenantry.fleet.outcome import Outcome, Report
from tenantry.fleet.pool import Watcher


class Follower(Watcher, Protocol):
    """Sees a run go on, and is told how it ended. `what` is what comes of it, such as "Traces"."""

    what: str

    def finish(self, report: Report) -> Iterable[str]:
        """Take the report, and return lines about what could not be done. Called once, at the end."""


class Followers:
    """Watches a run for a watcher and any number of followers. One that fails is dropped, with a line at
    the end.
    """

    def __init__(self, watcher: Watcher, followers: Iterable[Follower]) -> None:
        self._watcher = watcher
        self._followers = list(followers)
        self._lines: list[str] = []

    def begun(self, job: Job) -> None:
        """A job was handed to a worker."""
        self._watcher.begun(job)
        self._tell(lambda follower: follower.begun(job))

    def ended(self, job: Job, outcome: Outcome) -> None:
        """A job is done."""
        self._watcher.ended(job, outcome)
        self._tell(lambda follower: follower.ended(job, outcome))

    def tick(self) -> None:
        """Time has passed."""
        self._watcher.tick()
        self._tell(lambda follower: follower.tick())

    def finish(self, report: Report) -> list[str]:
        """Tell all how the run ended, and return the lines about what could not be done."""
        self._tell(lambda follower: self._lines.extend(follower.finish(report)))
        return self._lines

    def _tell(self, what: Callable[[Follower], None]) -> None:
        for follower in list(self._followers):
            try:
                what(follower)
            except Exception as error:  # noqa: BLE001 (a run is worth more than what is told of it)
                self._followers.remove(follower)
                self._lines.append(f"{follower.what}: there are no more of them: {type(error).__name__}.")
