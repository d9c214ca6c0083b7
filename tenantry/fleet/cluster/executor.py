"""The executor that sends the jobs of a run to the workers of a cluster, each job once.

It implements the interface of `concurrent.futures.Executor`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tenantry.fleet.cluster import worker as on_worker
from tenantry.fleet.cluster.bundle import Bundle, pack
from tenantry.fleet.cluster.connection import (
    RESPONSE_TIMEOUT_SECONDS,
    WATCH_INTERVAL_SECONDS,
    Cluster,
    FitWorker,
)
from tenantry.fleet.cluster.errors import BundleRefused, ClusterUnusable
from tenantry.fleet.cluster.fitness import WorkerRequirements, backend_of, has_passphrase
from tenantry.fleet.cluster.ticket import Ticket
from tenantry.fleet.cluster.worker import JobResult
from tenantry.fleet.job import Job
from tenantry.fleet.outcome import Outcome, Trouble
from tenantry.fleet.pool import Pool
from tenantry.providers.qlik.settings import ENDPOINT

TICK_SECONDS = 0.1
MAX_ATTEMPTS = 3
"""How often a job is sent to a worker if no worker begins it."""

SENT_VARIABLES = frozenset({"TENANTRY_GRACE_DAYS"})
"""The only variables of a job's environment that are sent. Otherwise, a worker uses its own environment."""

SALT_NOT_WRITTEN = (
    "Pulumi has written an encryption salt into the worker's copy of the stack file. The file here has "
    "changed in the meantime, so the next `up` writes the salt"
)

Announce = Callable[[str], None]
LockHolder = Callable[[Job], str]
"""A function that returns advice: who holds the lock of a job's stack, and how to release it.

It returns an empty string if nobody holds the lock.
"""


@dataclass
class ClusterRun:
    """A run on a cluster, with the offer to its workers and the executor for each wave.

    `backend` and `probe` are the same as in `WorkerRequirements`.
    """

    cluster: Cluster
    root: Path
    backend: str
    probe: str
    credentials: bool
    lock_holder: LockHolder
    announce: Announce
    pool: Pool | None = None
    bundle: Bundle | None = None
    interrupted: bool = False
    watched: bool = False
    _running: dict[str, tuple[Job, FitWorker]] = field(default_factory=dict)
    _announced: set[str] = field(default_factory=set)

    @classmethod
    @contextmanager
    def opened(
        cls, address: str, root: Path, *, credentials: bool, lock_holder: LockHolder, announce: Announce
    ) -> Iterator[ClusterRun]:
        """Yield a run on the cluster at this address, once a worker is fit for it.

        `credentials`: the run sends requests to Qlik. `announce` is called with a line for each worker that
        is not used. Raises ClusterUnusable and BundleRefused.
        """
        with Cluster.connected(address) as cluster, backend_of(root) as (backend, probe):
            cluster.announce = announce
            remote = cls(cluster, root, backend, probe, credentials, lock_holder, announce)
            remote.offer()
            yield remote

    def offer(self) -> None:
        """Pack the current repository, and let the workers check whether they are fit."""
        bundle = pack(self.root)
        if self.bundle and self.bundle.sha256 == bundle.sha256:
            return
        for line in bundle.left_out:
            if line not in self._announced:
                self._announced.add(line)
                self.announce(f"Not sent to workers: {line}")
        self.bundle = bundle
        requirements = WorkerRequirements(
            sha256=bundle.sha256,
            root=self.project_path,
            backend=self.backend,
            probe=self.probe,
            credentials=self.credentials,
            passphrase=has_passphrase(os.environ),
            endpoint=os.environ.get(ENDPOINT, ""),
        )
        self.cluster.offer(requirements, bundle)

    def attach(self, pool: Pool, announce: Callable[[str], None], *, watched: bool) -> None:
        """Let a pool run its jobs on this cluster. `announce` may be called in any thread.

        `watched`: copy the logs of running jobs to this machine as they grow.
        """
        self.pool, self.announce, self.cluster.announce, self.watched = pool, announce, announce, watched
        self.interrupted = False
        pool.executor, pool.interrupt = self.executor, self.interrupt

    def executor(self, _: int) -> Executor:
        """Return the executor for the jobs of a wave. First, offer the current repository to the workers."""
        try:
            self.offer()
        except (ClusterUnusable, BundleRefused) as error:
            self.cluster.lost = self.cluster.lost or str(error)
        return _Executor(self)

    def interrupt(self) -> int:
        """Ask the running jobs to end early. Return their number. A signal handler may call this."""
        self.interrupted = True
        self.cluster.soon(lambda: self.cluster.call_busy_workers(on_worker.interrupt, self.cluster.run))
        return len(self._running)

    async def execute(self, work: Callable[[Job], Outcome], job: Job) -> Outcome:
        """Let a worker do one job. Return an outcome even if the worker is lost."""
        for _ in range(MAX_ATTEMPTS):
            worker = await self._wait_for_worker()
            if worker is None:
                return job.outcome(status="not run", remarks=(self._not_run_reason(),))
            self._running[job.member.stack] = job, worker
            try:
                outcome = await self._execute_on(worker, work, job)
            except BundleRefused as refused:
                return _failed(job, str(refused))
            finally:
                worker.busy -= 1
                del self._running[job.member.stack]
            if outcome is not None:
                return outcome
        return _failed(job, f"no worker could begin it in {MAX_ATTEMPTS} attempts, the last one was {worker}")

    async def follow(self) -> None:
        """Copy the progress of running jobs into the logs that the live display reads."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_SECONDS)
            progress_by_worker = await self.cluster.call_busy_workers(on_worker.progress, self.cluster.run)
            for stack, (is_new_log, lines) in (
                item for progress in progress_by_worker.values() for item in progress.items()
            ):
                if stack in self._running and (lines or is_new_log):
                    log = self._running[stack][0].log
                    with suppress(OSError):
                        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                        with log.open("w" if is_new_log else "a", encoding="utf-8") as file:
                            file.writelines(f"{line}\n" for line in lines)

    @property
    def _stopped(self) -> bool:
        return self.interrupted or bool(self.cluster.lost) or bool(self.pool and self.pool.stop)

    def _not_run_reason(self) -> str:
        """Return why a job does not begin, and stop the pool."""
        reason = self.cluster.lost or (self.pool.stop if self.pool else "") or "the run was interrupted"
        if self.pool and not self.pool.stop:
            self.pool.stop = reason
        return reason

    async def _wait_for_worker(self) -> FitWorker | None:
        """Wait for a worker with a free thread. Return None if the run stops first."""
        while not self._stopped:
            if worker := self.cluster.free_worker():
                worker.busy += 1
                return worker
            await asyncio.sleep(TICK_SECONDS)
        return None

    async def _execute_on(
        self, worker: FitWorker, work: Callable[[Job], Outcome], job: Job
    ) -> Outcome | None:
        """Let a worker do a job. Return None if it never began, so that another worker may do it."""
        relative_job = self._relative(job)
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                ticket = await Ticket.issue(self.cluster.client, f"{self.cluster.run}-{os.urandom(8).hex()}")
        except (OSError, TimeoutError):
            # Wait until the watch task has noticed that the scheduler is lost.
            await asyncio.sleep(WATCH_INTERVAL_SECONDS)
            return None
        task: Any = self.cluster.client.submit(
            on_worker.run_with_ticket,
            ticket.name,
            self.cluster.run,
            self.packed_bundle.sha256,
            relative_job,
            work,
            key=f"tenantry-{job.operation}-{ticket.name}",
            workers=[worker.address],
            allow_other_workers=False,
            retries=0,
            pure=False,
        )
        result = asyncio.ensure_future(task.result())
        try:
            while not result.done():
                await asyncio.wait({result}, timeout=TICK_SECONDS)
                if self.cluster.lost and not result.done():
                    return await self._unknown_outcome(job, worker)
                if (
                    (worker.disconnected.is_set() or self._stopped)
                    and not result.done()
                    and await _take_back(ticket)
                ):
                    return None
                if worker.disconnected.is_set() and not result.done():
                    return await self._lost_outcome(job, worker)
            if error := _error(result):
                if self.cluster.client.status != "running":
                    self.cluster.lost = self.cluster.lost or f"the scheduler {self.cluster.address} was lost"
                    return await self._unknown_outcome(job, worker)
                if await _take_back(ticket):
                    await self.cluster.examine(worker.address)
                    return None
                return await self._lost_outcome(job, worker, error)
            job_result: JobResult = result.result()
            if job_result.outcome is None:
                return await self._lost_outcome(job, worker)
            return await asyncio.to_thread(self._store_result, job, job_result, job_result.outcome)
        finally:
            result.cancel()
            task.release()
            ticket.forget()

    def _relative(self, job: Job) -> Job:
        """Return the job with paths relative to the bundle. Raises BundleRefused."""
        return replace(
            job,
            root=Path(self.project_path),
            folder=Path(job.folder.name),
            member=replace(
                job.member, file=Path(self.packed_bundle.path_in_bundle(job.member.file)), files=()
            ),
        )

    @property
    def project_path(self) -> str:
        """The project's path in the bundle."""
        return self.root.resolve().relative_to(self.packed_bundle.top).as_posix()

    @property
    def packed_bundle(self) -> Bundle:
        """The bundle of the last offer."""
        assert self.bundle is not None  # noqa: S101 (`opened` sets it)
        return self.bundle

    def _store_result(self, job: Job, job_result: JobResult, outcome: Outcome) -> Outcome:
        """Store a worker's logs and stack file. Return the outcome with the paths of this machine."""
        local_path = str(self.packed_bundle.top)
        with suppress(OSError):
            job.log.unlink(missing_ok=True)
            for name in on_worker.LOGS:
                if name in job_result.logs:
                    job.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    content = job_result.logs[name].replace(job_result.folder.encode(), local_path.encode())
                    (job.folder / name).write_bytes(content)
        if job_result.stack_file:
            before, after = job_result.stack_file
            try:
                if job.member.file.read_bytes() != before:
                    outcome = replace(outcome, remarks=(*outcome.remarks, SALT_NOT_WRITTEN))
                else:
                    job.member.file.write_bytes(after)
            except OSError as error:
                remark = f"the stack file cannot be written: {error.strerror}"
                outcome = replace(outcome, remarks=(*outcome.remarks, remark))
        if outcome.logs:
            outcome = replace(outcome, logs=str(job.folder))
        return replace(
            outcome,
            troubles=tuple(
                _with_local_paths(trouble, job_result.folder, local_path) for trouble in outcome.troubles
            ),
        )

    async def _lost_outcome(self, job: Job, worker: FitWorker, error: BaseException | None = None) -> Outcome:
        text = f"worker {worker} was lost while it worked on this stack"
        if error is not None:
            text = f"worker {worker} failed: {type(error).__name__}: {error}"
        return _failed(job, text, await self._advice(job))

    async def _unknown_outcome(self, job: Job, worker: FitWorker) -> Outcome:
        text = f"it was on worker {worker} when {self.cluster.lost}: its result is unknown"
        self._not_run_reason()
        return _failed(job, text, await self._advice(job))

    async def _advice(self, job: Job) -> str:
        advice = ""
        if job.operation != "preview":
            with suppress(Exception):
                advice = await asyncio.to_thread(self.lock_holder, job)
        return advice or "run the stack again: its state records what was done"


class _Executor(Executor):
    """The executor of one wave."""

    def __init__(self, remote: ClusterRun) -> None:
        self._remote = remote
        self._log_copying = remote.cluster.start(remote.follow()) if remote.watched else None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Let a worker call a function with a job."""
        (job,) = args
        if job.member.broken:  # this only reports the problems of the file, which needs no worker
            finished: Future[Any] = Future()
            finished.set_result(fn(job))
            return finished
        if not job.environment.keys() <= SENT_VARIABLES:
            raise ValueError(
                f"not sent to a worker: {', '.join(sorted(job.environment.keys() - SENT_VARIABLES))}"
            )
        future: Future[Any] = self._remote.cluster.start(self._remote.execute(fn, job))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop copying the logs. The pool has already waited for the jobs."""
        if self._log_copying:
            self._log_copying.cancel()


async def _take_back(ticket: Ticket) -> bool:
    """Take a ticket back. Return False if a worker has it, or if the scheduler does not respond."""
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
            return await ticket.take_back()
    except (OSError, TimeoutError, KeyError):
        return False


def _error(result: asyncio.Future[Any]) -> BaseException | None:
    if result.cancelled():
        return asyncio.CancelledError("the task was cancelled")
    return result.exception()


def _failed(job: Job, text: str, advice: str = "run it again") -> Outcome:
    text = " ".join(text.split())
    return job.outcome(status="failed", troubles=(Trouble(text, advice=advice, details=text),))


def _with_local_paths(trouble: Trouble, remote_path: str, local_path: str) -> Trouble:
    fields = ("text", "where", "advice", "details")
    return replace(
        trouble, **{name: getattr(trouble, name).replace(remote_path, local_path) for name in fields}
    )
