"""Language hosts that are kept from one stack to the next. Each run of a program is a forked process.

With its own language host, `pulumi` imports everything for the program, which takes half a second of CPU.
Here it attaches to a host in this process, and a child of `forks` runs the program. So no run sees the
imports or settings of another run.

A run ends with its engine: if the engine is killed, the connection closes and the child ends. An `up` is
never started twice. After an error before its start, `pulumi` starts its own host. If the child dies later,
the engine reports it like the death of its own host. If this process is killed, the engine finishes its
current steps and begins no others, as after the first Ctrl-C.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenantry.fleet.warm import forks, program
from tenantry.fleet.warm.providers import COLD_VARIABLE
from tenantry.pulumi_internals.environment import PYTHON_COMMAND
from tenantry.pulumi_internals.language_hosts import ATTACH, LanguageHost
from tenantry.settings.project import Project

SECONDS_TO_START = 20.0

_idle: list[KeptHost] = []
_lock = threading.Lock()


@dataclass(frozen=True)
class Task:
    """The run that a host serves now: the project's folder, and the environment of `pulumi`."""

    root: Path
    environment: Mapping[str, str]
    seconds: float


class KeptHost:
    """A language host on its own port, for one `pulumi` at a time."""

    def __init__(self) -> None:
        self.task: Task | None = None
        self.server = LanguageHost(self._run)

    def _run(
        self, handshake: bytes, request: bytes, set_cancel: Callable[[Callable[[], None]], None]
    ) -> bytes | str:
        task = self.task
        if task is None:  # the request does not come from a `pulumi` of this process
            return "no run is expected now"
        try:
            response: bytes = forks.server().call(
                program.run,
                handshake,
                request,
                folder=task.root,
                environment=task.environment,
                seconds=task.seconds,
                set_cancel=set_cancel,
            )
        except Exception as error:  # noqa: BLE001 (the engine shows any error)
            return f"the program did not finish: {error}"
        return response


@contextmanager
def host(root: Path, environment: Mapping[str, str], seconds: float) -> Iterator[Mapping[str, str]]:
    """Yield the environment that makes `pulumi` use a kept host that is free.

    `root` is the project's folder, `environment` is the environment of `pulumi`, and `seconds` is the longest
    duration of a run. If there is no such host, the result is empty, and the engine starts its own host.
    """
    kept_host = _take() if _can_use_kept_host(root, environment) else None
    if kept_host is None:
        yield {}
        return
    kept_host.task = Task(
        root, {**_with_wrapper_variables(environment), **kept_host.server.environment}, seconds
    )
    try:
        yield kept_host.server.environment
    finally:
        kept_host.task = None
        with _lock:
            _idle.append(kept_host)


def _can_use_kept_host(root: Path, environment: Mapping[str, str]) -> bool:
    """Tell whether a program runs the same in a kept host as in a host of the engine."""
    if any(environment.get(name) for name in (COLD_VARIABLE, PYTHON_COMMAND, ATTACH)):
        return False
    project = Project.at(root)
    if project is None or project.has_plugins:  # the language host may have to start plugins
        return False
    try:
        return not forks.shadowed(root)
    except (OSError, forks.CallFailed):
        return False


def _with_wrapper_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, with the variables that `bin/pulumi` of this Python would add."""
    folder = os.path.dirname(sys.executable)
    path = f"{folder}{os.pathsep}{environment.get('PATH', os.defpath)}"
    return {**environment, PYTHON_COMMAND: sys.executable, "PATH": path}


def _take() -> KeptHost | None:
    with _lock:
        if _idle:
            return _idle.pop()
    try:
        # Check that a call works.
        forks.server().call(os.getpid, folder=Path(), environment={}, seconds=SECONDS_TO_START)
        return KeptHost()
    except (OSError, RuntimeError, ImportError, forks.CallFailed):
        return None


@atexit.register
def close() -> None:
    """End the kept hosts."""
    with _lock:
        while _idle:
            _idle.pop().server.close()
