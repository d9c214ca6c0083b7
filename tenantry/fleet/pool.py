"""Many jobs, a few at a time: handed to workers, and stopped when asked or when too many fail.

Workers are behind the interface of `concurrent.futures.Executor`: threads here, which wait for processes;
anything that can run a function on plain data elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from tenantry.fleet import process
from tenantry.fleet.job import Job, run_job
from tenantry.fleet.outcome import Outcome, Trouble

MAX_DEFAULT_JOBS = 8
TICK_SECONDS = 0.25
"""Seconds between two looks at whether to stop, and what is under way."""


def default_jobs() -> int:
    """Return how many stacks are worked on at a time: two a processor, as most of a run is waiting."""
    return min(MAX_DEFAULT_JOBS, 2 * (os.cpu_count() or 1))


class Watcher(Protocol):
    """Sees a run go on: what begins, what ends, and time passing."""

    def begun(self, job: Job) -> None:
        """A job was handed to a worker."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """A job is done."""

    def tick(self) -> None:
        """Time has passed."""


class NoWatcher:
    """Watches nothing."""

    def begun(self, job: Job) -> None:
        """A job was handed to a worker."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """A job is done."""

    def tick(self) -> None:
        """Time has passed."""


@dataclass
class Pool:
    """Runs jobs. `at_once`: how many at a time. `most_failures`: stop when more than so many have failed.

    `stop` may be set to a reason at any time, from a signal handler too: jobs that run then come to their
    end, and no other begins. `interrupt` asks those that run to end early, and says how many there are.
    """

    at_once: int = 1
    most_failures: int | None = None
    watcher: Watcher = field(default_factory=NoWatcher)
    executor: Callable[[int], Executor] = ThreadPoolExecutor
    work: Callable[[Job], Outcome] = run_job
    interrupt: Callable[[], int] = process.interrupt
    stop: str = ""
    failures: int = 0

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Yield the outcome of each job as it ends, and "not run" for those that had no turn."""
        waiting = list(reversed(jobs))
        running: dict[Future[Outcome], Job] = {}
        with self.executor(self.at_once) as executor:
            while running or (waiting and not self.stop):
                while waiting and not self.stop and len(running) < self.at_once:
                    job = waiting.pop()
                    self.watcher.begun(job)
                    running[executor.submit(self.work, job)] = job
                done, _ = wait(running, TICK_SECONDS, FIRST_COMPLETED)
                for future in done:
                    job = running.pop(future)
                    outcome = _outcome(job, future)
                    self.count(outcome)
                    self.watcher.ended(job, outcome)
                    yield outcome
                self.watcher.tick()
        for job in reversed(waiting):
            yield job.outcome(status="not run", remarks=(self.stop,))

    @property
    def failures_left(self) -> int | None:
        """How many more may fail; None for any number."""
        return None if self.most_failures is None else self.most_failures - self.failures

    def count(self, outcome: Outcome) -> None:
        """Count an outcome, also one from elsewhere: with too many failures no other job begins."""
        self.failures += outcome.failed
        if self.most_failures is not None and self.failures > self.most_failures and not self.stop:
            allowed = f"more than {self.most_failures} were allowed to" if self.most_failures else "none may"
            self.stop = f"{self.failures} failed, {allowed}"


def _outcome(job: Job, future: Future[Outcome]) -> Outcome:
    """Return what a worker says, or that it could not: one that is lost takes no other with it."""
    lost = future.exception()
    if lost is None:
        return future.result()
    trouble = Trouble(f"the worker failed: {lost!r}", advice="what it did is in the state: run it again")
    return job.outcome(status="failed", troubles=(trouble,))
