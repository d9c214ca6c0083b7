"""A process that forks a child for each call: `python -c COMMAND DESCRIPTOR`.

It has one thread and no connection of gRPC, as neither survives a fork. The descriptor is a socket. For each
byte on it there come two descriptors with it: a socket on which the child reads its call and writes the
result, and the file for the child's streams. The process ends when the socket does, as it does with whoever
started it.
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
"""What runs this module under its own name, by which both sides know the classes below."""

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
"""The modules that a program and the comparison of its resources with a state import; the resource types are
imported as well.
"""


@dataclass(frozen=True)
class Call:
    """A function of a module and its arguments, with the folder and the environment to call it in."""

    function: Callable[..., Any]
    arguments: Sequence[Any]
    folder: str
    environment: dict[str, str]
    seconds: float


@dataclass(frozen=True)
class Raised:
    """What a call has raised."""

    error: BaseException


def main() -> None:
    """Serve until whoever started this process is gone."""
    for name in PRELOADED:
        importlib.import_module(name)
    resource_types()
    # Collected here, not by the kernel: so their CPU time counts as this process's, and its parent's.
    signal.signal(signal.SIGCHLD, lambda *_: _collect(os.WNOHANG))
    gc.freeze()  # else the collector would touch, and so copy, each page that is shared with the parent
    with socket.socket(fileno=int(sys.argv[1])) as server:
        while True:
            byte, descriptors, _, _ = socket.recv_fds(server, len(CALL), 2)
            if not byte:
                break
            if os.fork() == 0:
                server.close()
                _answer(*descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _collect(0)


def shadowed(root: str) -> list[str]:
    """Return the modules in a project's folder that this process has imported under the same name from
    elsewhere: a program that is started anew finds those of its folder first.
    """
    with os.scandir(root) as entries:
        return sorted(name for entry in entries if (name := _module(entry)) and _is_another(name, entry.path))


def _module(entry: os.DirEntry[str]) -> str:
    """Return the name of the module or package that an entry of a folder is; nothing for anything else."""
    if entry.is_dir():
        return entry.name if os.path.exists(os.path.join(entry.path, "__init__.py")) else ""
    name, ending = os.path.splitext(entry.name)
    return name if ending == ".py" and name != "__main__" else ""


def _is_another(name: str, path: str) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    if name not in sys.modules or (file is None and name in sys.builtin_module_names):
        return False  # those of the interpreter come before any folder
    there = os.path.dirname(file) if file and os.path.isdir(path) else file
    return not (there and os.path.exists(there) and os.path.samefile(there, path))


def _collect(options: int) -> None:
    """Take the children that have ended off the system's list; with no options wait for all others, too."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _answer(channel: int, output: int) -> NoReturn:
    """Make one call, in this process, and end it."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        with socket.socket(fileno=channel) as connection, connection.makefile("rwb") as stream:
            call: Call = pickle.load(stream)  # noqa: S301 (from the process that started this one)
            signal.setitimer(signal.ITIMER_REAL, call.seconds)
            threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
            result = _result(call)
            sys.stdout.flush()
            with suppress(OSError):  # nobody waits for it any more
                pickle.dump(result, stream)
                stream.flush()
    finally:
        os._exit(0)


def _end_with(caller: socket.socket) -> None:
    """End this process when the caller has closed the connection: nobody waits for the result any more."""
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
    except BaseException as error:  # noqa: BLE001 (whatever it is, it belongs to the caller)
        return Raised(error)
    return result
