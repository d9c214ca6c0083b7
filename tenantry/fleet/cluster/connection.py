"""The scheduler of a Dask cluster, and its workers that are fit for a run."""

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

CONNECT_TIMEOUT_SECONDS = 15.0
RESPONSE_TIMEOUT_SECONDS = 15.0
"""The time limit for a response of the scheduler. After that, it counts as lost."""

SECONDS_TO_EXAMINE = 90.0
"""The time limit for the examination of a worker, including the transfer of the bundle."""

SECONDS_WITHOUT_WORKERS = 60.0
"""How long a run waits for a worker after the last one is lost. Dask's nanny may start another one."""

WATCH_INTERVAL_SECONDS = 1.0
"""The time between two checks of the existing workers."""


def is_address(text: str) -> bool:
    """Tell whether a text is the address of a Dask scheduler."""
    return ADDRESS.fullmatch(text) is not None


@dataclass
class FitWorker:
    """A worker that is fit for the run.

    `threads` is how many jobs it can run at once, and `busy` is how many it runs now.
    """

    address: str
    host: str
    threads: int
    busy: int = 0
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    def __str__(self) -> str:
        return f"{self.address} ({self.host})"


class Cluster:
    """A cluster during a run. All communication with it happens in one event loop, in one thread.

    `lost` is the reason if the cluster can no longer be used. `announce` is called once with a line for each
    refused worker.
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
        self._known_workers: set[str] = set()
        self._last_fit_worker_at = time.monotonic()

    @classmethod
    @contextmanager
    def connected(cls, address: str) -> Iterator[Cluster]:
        """Yield the cluster with the scheduler at this address. Raises ClusterUnusable."""
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # the run itself reports lost workers
        cluster = cls(address)
        # Ignore the errors of Dask's remaining tasks after the scheduler was lost.
        cluster._loop.set_exception_handler(lambda *_: None)
        thread = threading.Thread(target=cluster._loop.run_forever, name="cluster", daemon=True)
        thread.start()
        try:
            cluster.wait_for(cluster._connect_in_time())
            yield cluster
        finally:
            with suppress(Exception):
                cluster.wait_for(cluster._close())
            cluster._loop.call_soon_threadsafe(cluster._loop.stop)
            thread.join(RESPONSE_TIMEOUT_SECONDS)
            if not thread.is_alive():
                cluster._loop.close()

    def start(self, work: Coroutine[Any, Any, T]) -> Any:
        """Run a coroutine in the event loop, and return its future."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the event loop, and wait for its result."""
        result: T = self.start(work).result()
        return result

    def soon(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run a coroutine in the event loop later. Takes no lock, so a signal handler may call it."""
        self._loop.call_soon_threadsafe(lambda: self.start(work()))

    @property
    def threads(self) -> int:
        """How many jobs the fit workers can run at once."""
        return sum(worker.threads for worker in self.fit_workers.values())

    def offer(self, requirements: WorkerRequirements, bundle: Bundle) -> None:
        """Let each worker check whether it is fit, and send it the bundle.

        Raises ClusterUnusable if no worker is fit.
        """
        self.wait_for(self._send_offer(requirements, bundle))
        if self.lost:
            raise ClusterUnusable(self.lost)
        if not self.fit_workers:
            raise ClusterUnusable("no worker is fit" if self.refused else "there is no worker")

    def free_worker(self) -> FitWorker | None:
        """Return the worker with the largest share of free threads, or None if all are busy."""
        free = [worker for worker in self.fit_workers.values() if worker.busy < worker.threads]
        return min(free, key=lambda worker: worker.busy / worker.threads, default=None)

    async def examine(self, address: str) -> None:
        """Let one worker check whether it is fit, and add it to the fit workers if it is."""
        if self._offer is None:
            return
        requirements, bundle = self._offer
        description: dict[str, str] = {}
        try:
            async with asyncio.timeout(SECONDS_TO_EXAMINE):
                description = await self._call(address, on_worker.describe)
                problem = version_differences(description)
                if not problem:
                    report = await self._call(address, on_worker.examine, requirements, None)
                    if report.lacks_bundle:
                        report = await self._call(address, on_worker.examine, requirements, bundle.archive)
                    problem = report.problem
        except TimeoutError:
            problem = f"no response within {SECONDS_TO_EXAMINE:g} s"
        except ImportError as error:
            problem = f"it does not have Tenantry {versions()['Tenantry']}: {error}"
        except Exception as error:  # noqa: BLE001 (a process of another version may raise anything)
            problem = f"{type(error).__name__}: {error}"
        if address not in self._known_workers or self._offer != (requirements, bundle):
            return
        if problem:
            self.fit_workers.pop(address, None)
            self._refuse(address, description.get("host", ""), problem)
        elif address not in self.fit_workers:
            self.fit_workers[address] = FitWorker(address, description["host"], self._threads[address])

    async def call_busy_workers(self, function: Callable[..., T], *arguments: object) -> dict[str, T]:
        """Call a function on the workers that have jobs. Workers that do not respond are left out."""
        busy = [worker.address for worker in self.fit_workers.values() if worker.busy]
        if not busy:
            return {}
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                results: dict[str, T] = await self.client.run(
                    function, *arguments, workers=busy, on_error="ignore"
                )
                return results
        return {}

    async def _call(self, address: str, function: Callable[..., Any], *arguments: object) -> Any:
        return (await self.client.run(function, *arguments, workers=[address]))[address]

    def _refuse(self, address: str, host: str, reason: str) -> None:
        line = " ".join(f"Worker {address}{f' ({host})' if host else ''} is not used: {reason}".split())
        if self.refused.get(address) != line:
            self.refused[address] = line
            self.announce(line)

    async def _connect_in_time(self) -> None:
        """Connect within a time limit. Without the limit, Dask may wait forever for a silent server."""
        task = asyncio.create_task(self._connect())
        if not (await asyncio.wait({task}, timeout=CONNECT_TIMEOUT_SECONDS + RESPONSE_TIMEOUT_SECONDS))[0]:
            task.cancel()
            await asyncio.wait({task}, timeout=1)
            raise ClusterUnusable("the scheduler cannot be reached")
        task.result()

    async def _connect(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", VersionMismatchWarning
            )  # the versions are checked for each worker
            try:
                self.client = Client(
                    self.address, asynchronous=True, timeout=CONNECT_TIMEOUT_SECONDS, set_as_default=False
                )
                await self.client
                async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                    self._scheduler = (await self._identity())["id"]
                    scheduler_versions = await self.client.run_on_scheduler(versions)
            except ImportError:
                raise ClusterUnusable(
                    f"the scheduler does not have Tenantry {versions()['Tenantry']}"
                ) from None
            except (OSError, TimeoutError) as error:
                raise ClusterUnusable("the scheduler cannot be reached") from error
            except (TypeError, ValueError, RuntimeError) as error:
                raise ClusterUnusable(f"{' '.join(str(error).split())[:300]}") from None
        if differences := version_differences(scheduler_versions):
            raise ClusterUnusable(f"the scheduler has {differences}")
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                await self.client.register_plugin(Rates())
        except Exception as error:  # noqa: BLE001 (a scheduler may be configured to refuse plugins)
            self._no_rates = f"The workers of different machines do not share rate limits: {error}"

    async def _close(self) -> None:
        for task in (self._watching, *self._examining):
            if task:
                task.cancel()
        async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
            if not self.lost and self._offer:
                with suppress(OSError):
                    await self.client.run(
                        on_worker.clean_up, self.run, workers=list(self.fit_workers), on_error="ignore"
                    )
            if hasattr(self, "client"):
                await self.client.close(timeout=2)

    async def _send_offer(self, requirements: WorkerRequirements, bundle: Bundle) -> None:
        self._offer = requirements, bundle
        if self._no_rates:
            self.announce(self._no_rates)
            self._no_rates = ""
        await self._update_workers()
        await asyncio.gather(*map(self.examine, list(self._known_workers)))
        self._last_fit_worker_at = time.monotonic()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def _identity(self) -> dict[str, Any]:
        scheduler: Any = self.client.scheduler
        identity: dict[str, Any] = await scheduler.identity()
        return identity

    async def _watch(self) -> None:
        """Track the workers that join and leave, until the run ends or the scheduler is lost."""
        while not self.lost:
            await asyncio.sleep(WATCH_INTERVAL_SECONDS)
            for address in await self._update_workers():
                task = asyncio.create_task(self.examine(address))
                self._examining.add(task)
                task.add_done_callback(self._examining.discard)
            if self.fit_workers:
                self._last_fit_worker_at = time.monotonic()
            elif (
                not self._examining and time.monotonic() > self._last_fit_worker_at + SECONDS_WITHOUT_WORKERS
            ):
                self.lost = f"no fit worker is left at {self.address}"

    async def _update_workers(self) -> list[str]:
        """Update the existing workers, and return the addresses of the new ones."""
        try:
            if self.client.status != "running":
                raise OSError
            async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                identity = await self._identity()
            if identity["id"] != self._scheduler:
                raise OSError
        except (OSError, TimeoutError):
            self.lost = f"the scheduler {self.address} was lost"
            return []
        threads = {
            address: description["nthreads"]
            for address, description in identity["workers"].items()
            if description["status"] not in ("closing", "closing_gracefully", "closed")
        }
        self._threads = threads
        for address in self._known_workers - threads.keys():
            if worker := self.fit_workers.pop(address, None):
                worker.disconnected.set()
        new = [address for address in threads if address not in self._known_workers]
        self._known_workers = set(threads)
        return new
