"""Runs a program with the real SDK against a resource monitor in process, always in the same order.

The SDK registers what it can at once, from many threads. Here the engine acts only when the program can do
nothing but wait, and takes what was asked of it first.
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


class Gone(grpc.RpcError):
    """What a program gets of an engine that takes no more registrations."""

    def code(self) -> grpc.StatusCode:
        """The SDK takes it for the end."""
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        """Shown to nobody."""
        return "resource monitor shut down"


class NotYet(Exception):
    """The engine is to be asked again when it has answered all that it was asked before."""


class Turns(selectors.DefaultSelector):
    """Waits for an event loop; where it has nothing to do, the engine has its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        """How many requests there were."""
        self.current = 0
        """The number of the one that is being answered."""
        self._waiting: deque[Callable[[], None]] = deque()
        # The handlers run event loops of their own, which this thread's must not know of.
        self._engine = ThreadPoolExecutor(1)

    def ask(self, request: Callable[[], None]) -> None:
        """Put a request last."""
        self.asked += 1
        self._waiting.append(request)

    def select(self, timeout: float | None = None) -> Any:
        """Take one turn of the engine before waiting for anything."""
        if (timeout is not None and timeout <= 0) or not self._waiting:
            return super().select(timeout)
        self.current += 1
        self._engine.submit(self._waiting.popleft()).result()
        return super().select(0)

    def close(self) -> None:
        """End the engine's thread with the loop."""
        super().close()
        self._engine.shutdown()


class _Executor(ThreadPoolExecutor):
    """Runs what the SDK would run in a thread when the engine has its turn."""

    def __init__(self, turns: Turns) -> None:
        super().__init__(1)
        self._turns = turns

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def answer() -> None:
            if not future.running() and not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except NotYet:
                self._turns.ask(answer)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's
                future.set_exception(error)

        self._turns.ask(answer)
        return future


class _Log:
    """Takes what the SDK tells the engine."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def Log(self, request: Any) -> None:
        """Keep errors."""
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)

    def RequirePulumiVersion(self, _request: Any) -> None:
        """Any will do."""


def run(main: Callable[[], object], monitor: Any, turns: Turns, *, project: str, stack: str) -> list[str]:
    """Run a program to its end; return its own errors, not those of the engine.

    Args:
        main: the program.
        monitor: answers the calls of the SDK's resource monitor.
        turns: what the monitor may look at to tell requests apart.
    """
    return contextvars.copy_context().run(_run, main, monitor, turns, project, stack)


def _run(main: Callable[[], object], monitor: Any, turns: Turns, project: str, stack: str) -> list[str]:
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
    loop = asyncio.SelectorEventLoop(turns)
    loop.set_default_executor(_Executor(turns))
    asyncio.set_event_loop(loop)

    def program() -> None:
        main()

    try:
        loop.run_until_complete(run_in_stack(program))
    except pulumi.RunError as error:
        return [] if "monitor has terminated" in str(error) else [*log.errors, str(error)]
    except Exception as error:  # noqa: BLE001 - the program's, which the user sees
        return [*log.errors, f"{type(error).__name__}: {error}"]
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                loop.run_until_complete(task)
        loop.close()
        asyncio.set_event_loop(None)
    return log.errors
