"""Calls of functions in processes that have imported everything already, each call in a process of its own.

Importing what a program needs takes half a second of CPU, and forking a process that has imported it some
milliseconds. Nothing that a call does to its process, such as importing the modules of a project, is seen by
another call.
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
    """A call has no result: its process ended without one, or not in time."""


class ForkServer:
    """A process that forks a child for each call, in the environment of Python that this process has.

    It ends with this process, whatever ends that.
    """

    def __init__(self) -> None:
        self._server, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", fork_server.COMMAND, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is for the parent to deal with
            )
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether calls can be made."""
        return self.process.poll() is None

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        folder: Path,
        environment: Mapping[str, str],
        seconds: float,
        output: int | None = None,
        when_unwanted: Callable[[Callable[[], None]], None] = lambda _: None,
    ) -> Any:
        """Return what a function of a module returns, called in a child process.

        Arguments and result are pickled. `folder` is the child's working directory, `environment` all of its
        environment. Both of its streams go to the file descriptor `output`, or nowhere. What the function
        raises is raised here. Raises CallFailed if the child has no result after `seconds`; it is then ended.
        `when_unwanted` is given what ends the child at once, from any thread.
        """
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, open(os.devnull, "wb") as nowhere:
                streams = [theirs.fileno(), nowhere.fileno() if output is None else output]
                self._send(streams)
            ours.settimeout(seconds)
            when_unwanted(lambda: _hang_up(ours))
            call = fork_server.Call(function, arguments, str(folder), dict(environment), seconds)
            try:
                with ours.makefile("rwb") as channel:
                    pickle.dump(call, channel)
                    channel.flush()
                    result = pickle.load(channel)  # noqa: S301 (from a child of our own)
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
            raise CallFailed(f"the process that forks has ended: {error}") from error

    def close(self) -> None:
        """End the process."""
        self._server.close()
        self.process.wait()


def _hang_up(connection: socket.socket) -> None:
    """End a connection, whose other side then ends; nothing if it has come to its end already."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


SECONDS_TO_LOOK = 20.0
MAX_SERVER_DEATHS = 3
"""How many servers may die; after that there is none."""

_servers: list[ForkServer] = []
_starting = threading.Lock()
_dead: list[ForkServer] = []


def server() -> ForkServer:
    """Return the server of this process, which is started for the first call. Raises CallFailed."""
    with _starting:
        if _servers and not _servers[0].is_running:
            _dead.append(_servers.pop())
            _dead[-1].close()
        if len(_dead) >= MAX_SERVER_DEATHS:
            raise CallFailed("the process that forks has ended too often")
        if not _servers:
            _servers.append(ForkServer())
        return _servers[0]


@cache
def shadowed(root: Path) -> tuple[str, ...]:
    """Return the modules of a project that a program would not find in a fork, as others have their names.

    Raises CallFailed, and OSError for a folder that cannot be read.
    """
    found = server().call(
        fork_server.shadowed, str(root), folder=root, environment={}, seconds=SECONDS_TO_LOOK
    )
    return tuple(found)


@atexit.register
def close() -> None:
    """End the server of this process."""
    with _starting:
        _dead.clear()
        while _servers:
            _servers.pop().close()
