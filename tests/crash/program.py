"""Runs a program with the real SDK against an in-process resource monitor, always in the same order.

The SDK registers resources at once, from many threads. Here, the engine handles a request only when the
program can do nothing but wait. It handles the oldest request first.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import selectors
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import grpc
import pulumi
from pulumi.runtime import settings
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.stack import run_in_stack


class EngineStopped(grpc.RpcError):
    """The error for a program when the engine accepts no more registrations."""

    def code(self) -> grpc.StatusCode:
        """Return the code that the SDK treats as the end."""
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        """Return a text that nobody sees."""
        return "resource monitor shut down"


class Deferred(Exception):
    """The error for a request that the engine must handle later, after all requests in the queue."""


class EngineQueue(selectors.DefaultSelector):
    """The queue of requests to the engine, as the selector of the program's event loop.

    When the loop is idle, the engine handles the next request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.request_count = 0
        """The number of requests so far."""
        self.current_number = 0
        """The number of the current request."""
        self._waiting: deque[Callable[[], None]] = deque()
        # The handlers run their own event loops, which must be hidden from this thread's loop.
        self._engine = ThreadPoolExecutor(1)

    def append(self, request: Callable[[], None]) -> None:
        """Append a request to the queue."""
        self.request_count += 1
        self._waiting.append(request)

    def select(self, timeout: float | None = None) -> Any:
        """Let the engine handle one request before the loop waits."""
        if (timeout is not None and timeout <= 0) or not self._waiting:
            return super().select(timeout)
        self.current_number += 1
        self._engine.submit(self._waiting.popleft()).result()
        return super().select(0)

    def close(self) -> None:
        """End the engine's thread together with the loop."""
        super().close()
        self._engine.shutdown()


class _Executor(ThreadPoolExecutor):
    """Runs the SDK's thread tasks when the engine handles them."""

    def __init__(self, queue: EngineQueue) -> None:
        super().__init__(1)
        self._queue = queue

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def respond() -> None:
            if not future.running() and not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except Deferred:
                self._queue.append(respond)
            except Exception as error:  # noqa: BLE001 - the caller handles it
                future.set_exception(error)

        self._queue.append(respond)
        return future


class _Log:
    """Receives log messages from the SDK."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def Log(self, request: Any) -> None:
        """Store errors."""
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)

    def RequirePulumiVersion(self, _request: Any) -> None:
        """Accept any version."""


def run(
    main: Callable[[], object], monitor: Any, queue: EngineQueue, *, project: str, stack: str
) -> list[str]:
    """Run a program to its end; return the program's errors, without the engine's.

    Args:
        main: the program.
        monitor: implements the SDK's resource monitor.
        queue: the queue of the requests, from which the monitor reads their numbers.
    """
    return contextvars.copy_context().run(_run, main, monitor, queue, project, stack)


def _run(main: Callable[[], object], monitor: Any, queue: EngineQueue, project: str, stack: str) -> list[str]:
    log = _Log()
    settings.configure(
        settings.Settings(
            project=project,
            stack=stack,
            monitor=monitor,
            engine=log,
            dry_run=False,
            organization="organization",
        )
    )
    settings.ROOT.set(None)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.SelectorEventLoop(queue)
    loop.set_default_executor(_Executor(queue))
    asyncio.set_event_loop(loop)

    def program() -> None:
        main()

    try:
        loop.run_until_complete(run_in_stack(program))
    except pulumi.RunError as error:
        return [] if "monitor has terminated" in str(error) else [*log.errors, str(error)]
    except Exception as error:  # noqa: BLE001 - an error of the program, which the user sees
        return [*log.errors, f"{type(error).__name__}: {error}"]
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                loop.run_until_complete(task)
        loop.close()
        asyncio.set_event_loop(None)
    return log.errors
