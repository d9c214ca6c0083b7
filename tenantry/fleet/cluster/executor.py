"""Hands the jobs of a run to the workers of a cluster, each once, behind the interface of an executor."""

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
from tenantry.fleet.cluster.connection import SECONDS_TO_ANSWER, WATCH_INTERVAL_SECONDS, Cluster, FitWorker
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
"""How often a job is offered to a worker that cannot even begin it."""

SENT_VARIABLES = frozenset({"TENANTRY_GRACE_DAYS"})
"""The variables of a job's environment that may be sent; all else a worker has of its own."""

SALT_NOT_WRITTEN = (
    "Pulumi has written into the worker's copy of the stack file how secrets are encrypted; the file here "
    "has changed meanwhile, so the next `up` writes it"
)

LockHolder = Callable[[Job], str]
"""Returns who holds the lock of a job's stack, and what frees it, as advice; nothing if nobody does."""


@dataclass
class ClusterRun:
    """A run on a cluster: what is offered to its workers, and the executor for each wave.

    `backend` and `probe` are as in `WorkerRequirements`.
    """

    cluster: Cluster
    root: Path
    backend: str
    probe: str
    credentials: bool
    holder: LockHolder
    announce: Callable[[str], None]
    pool: Pool | None = None
    bundle: Bundle | None = None
    interrupted: bool = False
    watched: bool = False
    _running: dict[str, tuple[Job, FitWorker]] = field(default_factory=dict)
    _announced: set[str] = field(default_factory=set)

    @classmethod
    @contextmanager
    def opened(
        cls,
        address: str,
        root: Path,
        *,
        credentials: bool,
        holder: LockHolder,
        announce: Callable[[str], None],
    ) -> Iterator[ClusterRun]:
        """Give a run on the cluster at this address, once a worker is fit for it.

        `credentials`: requests are sent to Qlik. `announce` is told of each worker that is not used. Raises
        ClusterUnusable, BundleRefused.
        """
        with Cluster.connected(address) as cluster, backend_of(root) as (backend, probe):
            cluster.announce = announce
            remote = cls(cluster, root, backend, probe, credentials, holder, announce)
            remote.offer()
            yield remote

    def offer(self) -> None:
        """Pack the repository as it is now, and have the workers look whether they are fit."""
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
        """Have a pool run its jobs here. `announce` may be called in any thread.

        `watched`: the logs of running jobs are read here as they grow.
        """
        self.pool, self.announce, self.cluster.announce, self.watched = pool, announce, announce, watched
        self.interrupted = False
        pool.executor, pool.interrupt = self.executor, self.interrupt

    def executor(self, _: int) -> Executor:
        """Return what runs the jobs of a wave, with the repository as it is when the wave begins."""
        try:
            self.offer()
        except (ClusterUnusable, BundleRefused) as error:
            self.cluster.lost = self.cluster.lost or str(error)
        return _Executor(self)

    def interrupt(self) -> int:
        """Have what runs end early; returns how many jobs that is. May be called in a signal handler."""
        self.interrupted = True
        self.cluster.soon(lambda: self.cluster.call_busy_workers(on_worker.interrupt, self.cluster.run))
        return len(self._running)

    async def execute(self, work: Callable[[Job], Outcome], job: Job) -> Outcome:
        """Have one job done by a worker; whatever happens to that, there is an outcome."""
        for _ in range(MAX_ATTEMPTS):
            fit_worker = await self._free_worker()
            if fit_worker is None:
                return job.outcome(status="not run", remarks=(self._not_run_reason(),))
            self._running[job.member.stack] = job, fit_worker
            try:
                outcome = await self._execute_on(fit_worker, work, job)
            except BundleRefused as refused:
                return _failed(job, str(refused))
            finally:
                fit_worker.busy -= 1
                del self._running[job.member.stack]
            if outcome is not None:
                return outcome
        return _failed(job, f"no worker could begin it in {MAX_ATTEMPTS} attempts, the last was {fit_worker}")

    async def follow(self) -> None:
        """Bring what the logs of running jobs tell to where the live display reads them."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_SECONDS)
            told = await self.cluster.call_busy_workers(on_worker.progress, self.cluster.run)
            for stack, (anew, lines) in (item for progress in told.values() for item in progress.items()):
                if stack in self._running and (lines or anew):
                    log = self._running[stack][0].log
                    with suppress(OSError):
                        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                        with log.open("w" if anew else "a", encoding="utf-8") as file:
                            file.writelines(f"{line}\n" for line in lines)

    @property
    def _stopped(self) -> bool:
        return self.interrupted or bool(self.cluster.lost) or bool(self.pool and self.pool.stop)

    def _not_run_reason(self) -> str:
        """Return why a job is not begun. With a cluster that is lost no other job begins, either."""
        why = self.cluster.lost or (self.pool.stop if self.pool else "") or "the run was interrupted"
        if self.pool and not self.pool.stop:
            self.pool.stop = why
        return why

    async def _free_worker(self) -> FitWorker | None:
        """Wait for a worker with room for a job; None if the run is stopped first."""
        while not self._stopped:
            if fit_worker := self.cluster.free_worker():
                fit_worker.busy += 1
                return fit_worker
            await asyncio.sleep(TICK_SECONDS)
        return None

    async def _execute_on(
        self, fit_worker: FitWorker, work: Callable[[Job], Outcome], job: Job
    ) -> Outcome | None:
        """Have a worker do a job; None if it never began, and another one may."""
        sent = self._relative(job)
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                ticket = await Ticket.issue(self.cluster.client, f"{self.cluster.run}-{os.urandom(8).hex()}")
        except (OSError, TimeoutError):
            await asyncio.sleep(WATCH_INTERVAL_SECONDS)  # until it is known whether the scheduler is lost
            return None
        task: Any = self.cluster.client.submit(
            on_worker.run_with_ticket,
            ticket.name,
            self.cluster.run,
            self.sent.sha256,
            sent,
            work,
            key=f"tenantry-{job.operation}-{ticket.name}",
            workers=[fit_worker.address],
            allow_other_workers=False,
            retries=0,
            pure=False,
        )
        result = asyncio.ensure_future(task.result())
        try:
            while not result.done():
                await asyncio.wait({result}, timeout=TICK_SECONDS)
                if self.cluster.lost and not result.done():
                    return await self._unknown_outcome(job, fit_worker)
                if (
                    (fit_worker.gone.is_set() or self._stopped)
                    and not result.done()
                    and await _take_back(ticket)
                ):
                    return None
                if fit_worker.gone.is_set() and not result.done():
                    return await self._lost_outcome(job, fit_worker)
            if error := _error(result):
                if self.cluster.client.status != "running":
                    self.cluster.lost = self.cluster.lost or f"the scheduler {self.cluster.address} was lost"
                    return await self._unknown_outcome(job, fit_worker)
                if await _take_back(ticket):
                    await self.cluster.examine(fit_worker.address)
                    return None
                return await self._lost_outcome(job, fit_worker, error)
            returned: JobResult = result.result()
            if returned.outcome is None:
                return await self._lost_outcome(job, fit_worker)
            return await asyncio.to_thread(self._store_result, job, returned, returned.outcome)
        finally:
            result.cancel()
            task.release()
            ticket.forget()

    def _relative(self, job: Job) -> Job:
        """Return a job with paths that count from the bundle. Raises BundleRefused."""
        return replace(
            job,
            root=Path(self.project_path),
            folder=Path(job.folder.name),
            member=replace(job.member, file=Path(self.sent.path_in_bundle(job.member.file)), files=()),
        )

    @property
    def project_path(self) -> str:
        """Where the project is in the bundle."""
        return self.root.resolve().relative_to(self.sent.top).as_posix()

    @property
    def sent(self) -> Bundle:
        """What the workers have of the repository."""
        assert self.bundle is not None  # noqa: S101 (there is one from the beginning)
        return self.bundle

    def _store_result(self, job: Job, returned: JobResult, outcome: Outcome) -> Outcome:
        """Take what a worker has returned: logs, the stack file, and the outcome in words of this machine."""
        here = str(self.sent.top)
        with suppress(OSError):
            job.log.unlink(missing_ok=True)
            for name in on_worker.LOGS:
                if name in returned.logs:
                    job.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    content = returned.logs[name].replace(returned.folder.encode(), here.encode())
                    (job.folder / name).write_bytes(content)
        if returned.stack_file:
            before, after = returned.stack_file
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
            troubles=tuple(_with_local_paths(trouble, returned.folder, here) for trouble in outcome.troubles),
        )

    async def _lost_outcome(
        self, job: Job, fit_worker: FitWorker, error: BaseException | None = None
    ) -> Outcome:
        why = f"worker {fit_worker} was lost while it was at this stack"
        if error is not None:
            why = f"worker {fit_worker} failed: {type(error).__name__}: {error}"
        return _failed(job, why, await self._advice(job))

    async def _unknown_outcome(self, job: Job, fit_worker: FitWorker) -> Outcome:
        lost = self.cluster.lost
        self._not_run_reason()
        return _failed(
            job,
            f"it was on worker {fit_worker} when {lost}: what became of it is not known",
            await self._advice(job),
        )

    async def _advice(self, job: Job) -> str:
        held = ""
        if job.operation != "preview":
            with suppress(Exception):
                held = await asyncio.to_thread(self.holder, job)
        return held or "what it did is in the state: run it again"


class _Executor(Executor):
    """The executor of one wave."""

    def __init__(self, remote: ClusterRun) -> None:
        self._remote = remote
        self._following = remote.cluster.start(remote.follow()) if remote.watched else None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Have a worker call a function with a job."""
        (job,) = args
        if job.member.broken:  # there is nothing to run
            done: Future[Any] = Future()
            done.set_result(fn(job))
            return done
        if not job.environment.keys() <= SENT_VARIABLES:
            raise ValueError(
                f"not sent to a worker: {', '.join(sorted(job.environment.keys() - SENT_VARIABLES))}"
            )
        found: Future[Any] = self._remote.cluster.start(self._remote.execute(fn, job))
        return found

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End what is done beside the jobs, which the pool has waited for."""
        if self._following:
            self._following.cancel()


async def _take_back(ticket: Ticket) -> bool:
    """Take a ticket back; a scheduler that cannot be asked has not given it."""
    try:
        async with asyncio.timeout(SECONDS_TO_ANSWER):
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


def _with_local_paths(trouble: Trouble, there: str, here: str) -> Trouble:
    fields = ("text", "where", "advice", "details")
    return replace(trouble, **{name: getattr(trouble, name).replace(there, here) for name in fields})
