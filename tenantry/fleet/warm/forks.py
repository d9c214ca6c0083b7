"""Function calls in forked processes that have already imported everything, one process per call.

The imports of a program take half a second of CPU. Forking a process that has them takes a few milliseconds.
No call sees the changes that another call has made to its process, such as imported modules of a project.
"""

from __future__ import annotations

import atexit
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from tenantry.errors import TenantryError
from tenantry.fleet.warm import fork_server


class CallFailed(TenantryError):
    """A call has no result, because its process ended without one or took too long."""


class ForkServer:
    """A process that forks a child for each call, in the Python environment of this process.

    It ends with this process, even if that is killed.
    """

    def __init__(self) -> None:
        self._server, child_end = socket.socketpair()
        with child_end:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", fork_server.COMMAND, str(child_end.fileno())],
                pass_fds=[child_end.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # the parent handles Ctrl-C
            )
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether it can take calls."""
        return self.process.poll() is None

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        folder: Path,
        environment: Mapping[str, str],
        seconds: float,
        output: int | None = None,
        set_cancel: Callable[[Callable[[], None]], None] = lambda _: None,
    ) -> Any:
        """Call a function of a module in a child process, and return its result.

        Arguments and result are pickled. `folder` is the child's working directory, and `environment` is its
        whole environment. Its output goes to the file descriptor `output`, or nowhere. `set_cancel` is called
        with a function that ends the child at once, from any thread. Raises the exception of the function, or
        CallFailed if the child has no result after `seconds`. In that case this also ends the child.
        """
        parent_end, child_end = socket.socketpair()
        with parent_end:
            with child_end, open(os.devnull, "wb") as nowhere:
                streams = [child_end.fileno(), nowhere.fileno() if output is None else output]
                self._send(streams)
            parent_end.settimeout(seconds)
            set_cancel(lambda: _hang_up(parent_end))
            call = fork_server.Call(function, arguments, str(folder), dict(environment), seconds)
            try:
                with parent_end.makefile("rwb") as channel:
                    pickle.dump(call, channel)
                    channel.flush()
                    result = pickle.load(channel)  # noqa: S301 (from our own child process)
            except (OSError, EOFError, pickle.PickleError) as error:
                raise CallFailed(f"{function.__module__}.{function.__name__}: {error!r}") from error
        if isinstance(result, fork_server.Raised):
            raise result.error
        return result

    def _send(self, descriptors: list[int]) -> None:
        try:
            with self._lock:
                socket.send_fds(self._server, [fork_server.CALL], descriptors)
        except OSError as error:
            raise CallFailed(f"the fork server has ended: {error}") from error

    def close(self) -> None:
        """End the process."""
        self._server.close()
        self.process.wait()


def _hang_up(connection: socket.socket) -> None:
    """Close a connection, so that the child on the other side ends. Do nothing if it is closed already."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


SHADOWED_TIMEOUT_SECONDS = 20.0
MAX_SERVER_DEATHS = 3
"""How many servers may end unexpectedly. After that, no new one is started."""

_servers: list[ForkServer] = []
_starting = threading.Lock()
_dead: list[ForkServer] = []


def server() -> ForkServer:
    """Return the fork server of this process. The first call starts it. Raises CallFailed."""
    with _starting:
        if _servers and not _servers[0].is_running:
            _dead.append(_servers.pop())
            _dead[-1].close()
        if len(_dead) >= MAX_SERVER_DEATHS:
            raise CallFailed("the fork server has ended too often")
        if not _servers:
            _servers.append(ForkServer())
        return _servers[0]


@cache
def shadowed(root: Path) -> tuple[str, ...]:
    """Return the modules of a project that a fork cannot import, because other modules have their names.

    Raises CallFailed, and OSError if the folder cannot be read.
    """
    modules = server().call(
        fork_server.shadowed, str(root), folder=root, environment={}, seconds=SHADOWED_TIMEOUT_SECONDS
    )
    return tuple(modules)


@atexit.register
def close() -> None:
    """End the fork server of this process."""
    with _starting:
        _dead.clear()
        while _servers:
            _servers.pop().close()
