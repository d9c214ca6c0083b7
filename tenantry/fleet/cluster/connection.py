"""The scheduler of a Dask cluster, and the workers of it that are fit for a run."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from distributed import Client
from distributed.versions import VersionMismatchWarning

from tenantry.fleet.cluster import worker as on_worker
from tenantry.fleet.cluster.bundle import Bundle
from tenantry.fleet.cluster.errors import ClusterUnusable
from tenantry.fleet.cluster.fitness import WorkerRequirements, version_differences, versions
from tenantry.fleet.cluster.rates import Rates

T = TypeVar("T")

ADDRESS = re.compile(r"(?:(?:tcp|tls)://)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\]):\d{1,5}")

SECONDS_TO_CONNECT = 15.0
SECONDS_TO_ANSWER = 15.0
"""How long the scheduler may take for an answer until it counts as lost."""

SECONDS_TO_EXAMINE = 90.0
"""How long a worker may take to say whether it is fit, the way of the bundle included."""

SECONDS_WITHOUT_WORKERS = 60.0
"""How long a run waits for a worker when the last one is lost, as a nanny may start another."""

WATCH_INTERVAL_SECONDS = 1.0
"""Seconds between two looks at which workers are there."""


def is_address(text: str) -> bool:
    """Tell whether a text is the address of a scheduler, as Dask writes it."""
    return ADDRESS.fullmatch(text) is not None


@dataclass
class FitWorker:
    """A worker that is fit for the run: how many jobs it can have at once (`threads`), and has (`busy`)."""

    address: str
    host: str
    threads: int
    busy: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def __str__(self) -> str:
        return f"{self.address} ({self.host})"


class Cluster:
    """A cluster during a run. All that talks to it does so in the event loop of one thread.

    `lost` says why nothing can be run there any more. `announce` is told of each worker that is refused, once.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.run = secrets.token_hex(8)
        self.fit_workers: dict[str, FitWorker] = {}
        self.refused: dict[str, str] = {}
        self.lost = ""
        self.announce: Callable[[str], None] = lambda _: None
        self.client: Client
        self._loop = asyncio.new_event_loop()
        self._scheduler = ""
        self._no_rates = ""
        self._offer: tuple[WorkerRequirements, Bundle] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._examining: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()
        self._last_fit_worker_at = time.monotonic()

    @classmethod
    @contextmanager
    def connected(cls, address: str) -> Iterator[Cluster]:
        """Give the cluster with the scheduler at this address. Raises ClusterUnusable."""
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what is lost is told by the run itself
        cluster = cls(address)
        # What Dask leaves behind of a scheduler that is gone is of no interest.
        cluster._loop.set_exception_handler(lambda *_: None)
        thread = threading.Thread(target=cluster._loop.run_forever, name="cluster", daemon=True)
        thread.start()
        try:
            cluster.wait_for(cluster._connected_in_time())
            yield cluster
        finally:
            with suppress(Exception):
                cluster.wait_for(cluster._close())
            cluster._loop.call_soon_threadsafe(cluster._loop.stop)
            thread.join(SECONDS_TO_ANSWER)
            if not thread.is_alive():
                cluster._loop.close()

    def start(self, work: Coroutine[Any, Any, T]) -> Any:
        """Have something done in the event loop; return its future."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done in the event loop, and wait for it."""
        result: T = self.start(work).result()
        return result

    def soon(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Have something done in the event loop. Takes no lock, so a signal handler may ask for it."""
        self._loop.call_soon_threadsafe(lambda: self.start(work()))

    @property
    def threads(self) -> int:
        """How many jobs all fit workers can have at once."""
        return sum(fit_worker.threads for fit_worker in self.fit_workers.values())

    def offer(self, requirements: WorkerRequirements, bundle: Bundle) -> None:
        """Have each worker look whether it is fit, and take the bundle. Raises ClusterUnusable if none is."""
        self.wait_for(self._offered(requirements, bundle))
        if self.lost:
            raise ClusterUnusable(self.lost)
        if not self.fit_workers:
            there = "no worker is fit" if self.refused else "there is no worker"
            raise ClusterUnusable(there)

    def free_worker(self) -> FitWorker | None:
        """Return the worker that has most room for a job; None if none has."""
        free = [
            fit_worker for fit_worker in self.fit_workers.values() if fit_worker.busy < fit_worker.threads
        ]
        return min(free, key=lambda fit_worker: fit_worker.busy / fit_worker.threads, default=None)

    async def examine(self, address: str) -> None:
        """Have one worker look whether it is fit, and give it a seat if it is."""
        if self._offer is None:
            return
        requirements, bundle = self._offer
        told: dict[str, str] = {}
        try:
            async with asyncio.timeout(SECONDS_TO_EXAMINE):
                told = await self._call(address, on_worker.describe)
                problem = version_differences(told)
                if not problem:
                    answer = await self._call(address, on_worker.examine, requirements, None)
                    if answer.lacks_bundle:
                        answer = await self._call(address, on_worker.examine, requirements, bundle.archive)
                    problem = answer.problem
        except TimeoutError:
            problem = f"no answer within {SECONDS_TO_EXAMINE:g} s"
        except ImportError as error:
            problem = f"no Tenantry of version {versions()['Tenantry']}: {error}"
        except Exception as error:  # noqa: BLE001 (whatever another process of another version raises)
            problem = f"{type(error).__name__}: {error}"
        if address not in self._seen or self._offer != (requirements, bundle):
            return
        if problem:
            self.fit_workers.pop(address, None)
            self._refuse(address, told.get("host", ""), problem)
        elif address not in self.fit_workers:
            self.fit_workers[address] = FitWorker(address, told["host"], self._threads[address])

    async def call_busy_workers(self, function: Callable[..., T], *arguments: object) -> dict[str, T]:
        """Call a function on the workers that have jobs; those that do not answer are left out."""
        busy = [fit_worker.address for fit_worker in self.fit_workers.values() if fit_worker.busy]
        if not busy:
            return {}
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                found: dict[str, T] = await self.client.run(
                    function, *arguments, workers=busy, on_error="ignore"
                )
                return found
        return {}

    async def _call(self, address: str, function: Callable[..., Any], *arguments: object) -> Any:
        return (await self.client.run(function, *arguments, workers=[address]))[address]

    def _refuse(self, address: str, host: str, why: str) -> None:
        line = " ".join(f"Worker {address}{f' ({host})' if host else ''} is not used: {why}".split())
        if self.refused.get(address) != line:
            self.refused[address] = line
            self.announce(line)

    async def _connected_in_time(self) -> None:
        """Connect; whatever listens there may never say a word, and Dask may wait for that without end."""
        task = asyncio.create_task(self._connect())
        if not (await asyncio.wait({task}, timeout=SECONDS_TO_CONNECT + SECONDS_TO_ANSWER))[0]:
            task.cancel()
            await asyncio.wait({task}, timeout=1)
            raise ClusterUnusable("the scheduler cannot be reached")
        task.result()

    async def _connect(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)  # each worker's version is looked at
            try:
                self.client = Client(
                    self.address, asynchronous=True, timeout=SECONDS_TO_CONNECT, set_as_default=False
                )
                await self.client
                async with asyncio.timeout(SECONDS_TO_ANSWER):
                    self._scheduler = (await self._identity())["id"]
                    theirs = await self.client.run_on_scheduler(versions)
            except ImportError:
                raise ClusterUnusable(f"the scheduler has no Tenantry {versions()['Tenantry']}") from None
            except (OSError, TimeoutError) as error:
                raise ClusterUnusable("the scheduler cannot be reached") from error
            except (TypeError, ValueError, RuntimeError) as error:
                raise ClusterUnusable(f"{' '.join(str(error).split())[:300]}") from None
        if other := version_differences(theirs):
            raise ClusterUnusable(f"the scheduler has {other}")
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                await self.client.register_plugin(Rates())
        except Exception as error:  # noqa: BLE001 (a scheduler may be told to take no plugin)
            self._no_rates = f"Rate limits are shared by each worker's machine alone: {error}"

    async def _close(self) -> None:
        for task in (self._watching, *self._examining):
            if task:
                task.cancel()
        async with asyncio.timeout(SECONDS_TO_ANSWER):
            if not self.lost and self._offer:
                with suppress(OSError):
                    await self.client.run(
                        on_worker.clean_up, self.run, workers=list(self.fit_workers), on_error="ignore"
                    )
            if hasattr(self, "client"):
                await self.client.close(timeout=2)

    async def _offered(self, requirements: WorkerRequirements, bundle: Bundle) -> None:
        self._offer = requirements, bundle
        if self._no_rates:
            self.announce(self._no_rates)
            self._no_rates = ""
        await self._look()
        await asyncio.gather(*map(self.examine, list(self._seen)))
        self._last_fit_worker_at = time.monotonic()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def _identity(self) -> dict[str, Any]:
        scheduler: Any = self.client.scheduler
        found: dict[str, Any] = await scheduler.identity()
        return found

    async def _watch(self) -> None:
        """See workers come and go until the run ends or the scheduler is lost."""
        while not self.lost:
            await asyncio.sleep(WATCH_INTERVAL_SECONDS)
            for address in await self._look():
                task = asyncio.create_task(self.examine(address))
                self._examining.add(task)
                task.add_done_callback(self._examining.discard)
            if self.fit_workers:
                self._last_fit_worker_at = time.monotonic()
            elif (
                not self._examining and time.monotonic() > self._last_fit_worker_at + SECONDS_WITHOUT_WORKERS
            ):
                self.lost = f"no fit worker is left at {self.address}"

    async def _look(self) -> list[str]:
        """Look which workers are there, and return those that are new."""
        try:
            if self.client.status != "running":
                raise OSError
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                told = await self._identity()
            if told["id"] != self._scheduler:
                raise OSError
        except (OSError, TimeoutError):
            self.lost = f"the scheduler {self.address} was lost"
            return []
        there = {
            address: facts["nthreads"]
            for address, facts in told["workers"].items()
            if facts["status"] not in ("closing", "closing_gracefully", "closed")
        }
        self._threads = there
        for address in self._seen - there.keys():
            if fit_worker := self.fit_workers.pop(address, None):
                fit_worker.gone.set()
        new = [address for address in there if address not in self._seen]
        self._seen = set(there)
        return new
