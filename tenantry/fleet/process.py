"""One `pulumi` command: its start, its end and its interruption. Many may run at the same time."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

SHUTDOWN_SECONDS = 30.0
"""How long a command has to end by itself after its time was up and it was interrupted."""


class CommandResult(NamedTuple):
    """The result of a command: `code` is its exit code, or None if its time was up."""

    code: int | None
    interrupted: bool


class _Command:
    """A command, from just before its start until its end.

    A signal handler may call `interrupt`, so it may run in the middle of any of these methods. It takes no
    lock, because the interrupted code could hold that lock. It only appends to a list and pops from it, and
    both are atomic.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self.thread = threading.get_ident()
        self._process: subprocess.Popen[bytes] | None = None
        self._unsent: list[signal.Signals] = []

    def started(self, process: subprocess.Popen[bytes]) -> None:
        """Store the process, and send it the signals that arrived during its start."""
        self._process = process
        self._send()

    def interrupt(self) -> None:
        """Send SIGINT to the process, as soon as it exists."""
        self.interrupted = True
        self._unsent.append(signal.SIGINT)
        self._send()

    def _send(self) -> None:
        """Send each signal once, whether `started` or `interrupt` gets to it first."""
        while self._process and self._unsent:
            with suppress(IndexError):
                self._process.send_signal(self._unsent.pop())


_running: set[_Command] = set()


def run(
    command: Sequence[str], *, cwd: str, env: Mapping[str, str], output: Path, errors: Path, seconds: float
) -> CommandResult:
    """Run a command to its end.

    Its output goes into two files, because a plugin that outlives a killed CLI would keep a pipe open. The
    command has its own session, so Ctrl-C in the terminal does not reach it. Use `interrupt` for that.
    """
    tracked = _Command()
    _running.add(tracked)
    try:
        with output.open("wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        tracked.started(process)
        code = _code(process, seconds)
    finally:
        _running.discard(tracked)
    return CommandResult(code, tracked.interrupted)


def interrupt(threads: Container[int] | None = None) -> int:
    """Ask the running commands to finish their current steps and begin no others.

    Returns how many commands there are. `threads` limits this to the commands that these threads wait for.
    The second call makes the CLI stop at once. A signal handler may call this at any time.
    """
    running = [command for command in _running.copy() if threads is None or command.thread in threads]
    for command in running:
        command.interrupt()
    return len(running)


def _code(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Return the exit code of a process. If its time is up, end it and return None."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return None
