"""A process that forks a child for each call: `python -c COMMAND DESCRIPTOR`.

It has one thread and no gRPC connection, because other threads and gRPC connections do not survive a fork.
The descriptor is a socket. Each byte on it comes with two descriptors: a socket on which the child reads its
call and writes the result, and the file for the child's output. The process ends when the socket closes,
which happens at the latest when the parent process ends.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from tenantry.providers import resource_types

COMMAND = f"from {__name__} import main; main()"
"""The code that runs this module under its real name, so that both sides have the same classes."""

CALL = b"C"
PRELOADED = (
    "grpc._channel",
    "grpc._simple_stubs",
    "grpc.experimental",
    "tenantry.components.customer_tenant",
    "tenantry.pulumi_cli.language_host",
    "tenantry.pulumi_internals.language_hosts",
    "tenantry.providers.framework.loader",
    "tenantry.settings.current",
    "tenantry.settings.loading",
    "tenantry.settings.validation",
    "tenantry.fleet.unchanged.files",
    "tenantry.fleet.unchanged.lookup",
    "tenantry.fleet.unchanged.program",
)
"""The modules that are needed to run a program and compare it with a state, besides the resource types."""


@dataclass(frozen=True)
class Call:
    """A function of a module and its arguments, with the folder and the environment of the call.

    An alarm ends the child after this number of `seconds`.
    """

    function: Callable[..., Any]
    arguments: Sequence[Any]
    folder: str
    environment: dict[str, str]
    seconds: float


@dataclass(frozen=True)
class Raised:
    """The exception of a call."""

    error: BaseException


def main() -> None:
    """Serve until the process that started this one has ended."""
    for name in PRELOADED:
        importlib.import_module(name)
    resource_types()
    # Collect the children here, so that their CPU time counts for this process and its parent.
    signal.signal(signal.SIGCHLD, lambda *_: _reap(os.WNOHANG))
    gc.freeze()  # otherwise the collector writes to memory pages that children share, which copies them
    with socket.socket(fileno=int(sys.argv[1])) as server:
        while True:
            byte, descriptors, _, _ = socket.recv_fds(server, len(CALL), 2)
            if not byte:
                break
            if os.fork() == 0:
                server.close()
                _serve_call(*descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _reap(0)


def shadowed(root: str) -> list[str]:
    """Return the modules of a project's folder that this process has already imported from elsewhere.

    In a new process, a program would import those of its folder.
    """
    with os.scandir(root) as entries:
        return sorted(
            name for entry in entries if (name := _module(entry)) and _is_from_elsewhere(name, entry.path)
        )


def _module(entry: os.DirEntry[str]) -> str:
    """Return the name of the module or package for an entry of a folder, or an empty string."""
    if entry.is_dir():
        return entry.name if os.path.exists(os.path.join(entry.path, "__init__.py")) else ""
    name, ending = os.path.splitext(entry.name)
    return name if ending == ".py" and name != "__main__" else ""


def _is_from_elsewhere(name: str, path: str) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    if name not in sys.modules or (file is None and name in sys.builtin_module_names):
        return False  # Python finds built-in modules before any folder
    imported = os.path.dirname(file) if file and os.path.isdir(path) else file
    return not (imported and os.path.exists(imported) and os.path.samefile(imported, path))


def _reap(options: int) -> None:
    """Reap the children that have ended. Without WNOHANG in `options`, also wait for all others."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _serve_call(channel: int, output: int) -> NoReturn:
    """Run one call in this process, then end the process."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        with socket.socket(fileno=channel) as connection, connection.makefile("rwb") as stream:
            call: Call = pickle.load(stream)  # noqa: S301 (from the process that started this one)
            signal.setitimer(signal.ITIMER_REAL, call.seconds)
            threading.Thread(target=_exit_with, args=(connection,), daemon=True).start()
            result = _result(call)
            sys.stdout.flush()
            with suppress(OSError):  # the caller may have ended
                pickle.dump(result, stream)
                stream.flush()
    finally:
        os._exit(0)


def _exit_with(caller: socket.socket) -> None:
    """End this process when the caller closes the connection, because nobody waits for the result then."""
    with suppress(OSError):
        caller.recv(1)
    os._exit(0)


def _result(call: Call) -> Any:
    try:
        os.environ.clear()
        os.environ.update(call.environment)
        os.chdir(call.folder)
        result = call.function(*call.arguments)
        pickle.dumps(result)
    except BaseException as error:  # noqa: BLE001 (the caller handles any exception)
        return Raised(error)
    return result
