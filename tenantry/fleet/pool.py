"""A pool that runs many jobs, a few at a time. It stops on request, or if too many jobs fail.

A `concurrent.futures.Executor` runs the jobs. By default it has threads that wait for processes. Any executor
works that can call a function with plain data.
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
"""The interval at which the pool checks whether to stop, and which jobs have ended."""


def default_jobs() -> int:
    """Return how many stacks to work on at a time: two per processor, because a run mostly waits."""
    return min(MAX_DEFAULT_JOBS, 2 * (os.cpu_count() or 1))


class Watcher(Protocol):
    """An observer of a run: of each job that begins or ends, and of the passing time."""

    def begun(self, job: Job) -> None:
        """Handle the start of a job."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Handle the end of a job."""

    def tick(self) -> None:
        """Do regular work. Called every TICK_SECONDS."""


class NoWatcher:
    """A watcher that ignores all events."""

    def begun(self, job: Job) -> None:
        """Handle the start of a job."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Handle the end of a job."""

    def tick(self) -> None:
        """Do regular work. Called every TICK_SECONDS."""


@dataclass
class Pool:
    """A pool that runs `at_once` jobs at a time, until more than `max_failures` have failed.

    You may set `stop` to a reason at any time, also in a signal handler. Running jobs then finish, and no new
    one begins. `interrupt` asks the running jobs to end early and returns how many there are.
    """

    at_once: int = 1
    max_failures: int | None = None
    watcher: Watcher = field(default_factory=NoWatcher)
    executor: Callable[[int], Executor] = ThreadPoolExecutor
    work: Callable[[Job], Outcome] = run_job
    interrupt: Callable[[], int] = process.interrupt
    stop: str = ""
    failures: int = 0

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Yield the outcome of each job as it ends, and the outcome "not run" for jobs that never began."""
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
        """How many more jobs may fail, or None for any number."""
        return None if self.max_failures is None else self.max_failures - self.failures

    def count(self, outcome: Outcome) -> None:
        """Count an outcome, even one that this pool did not produce.

        After too many failures, no new job begins.
        """
        self.failures += outcome.failed
        if self.max_failures is not None and self.failures > self.max_failures and not self.stop:
            limit = f"at most {self.max_failures} may fail" if self.max_failures else "none may fail"
            self.stop = f"{self.failures} failed, {limit}"


def _outcome(job: Job, future: Future[Outcome]) -> Outcome:
    """Return the outcome of a job. If a worker is lost, only its own job fails."""
    error = future.exception()
    if error is None:
        return future.result()
    trouble = Trouble(
        f"the worker failed: {error!r}", advice="run the stack again: its state records what was done"
    )
    return job.outcome(status="failed", troubles=(trouble,))
