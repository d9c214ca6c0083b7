"""One `pulumi` command of many that run at the same time: started, waited for, interrupted."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

SHUTDOWN_SECONDS = 30.0
"""Seconds that a command has to end by itself after it was interrupted because its time was up."""


class CommandResult(NamedTuple):
    """How a command ended: `code` is its exit code, None if its time was up."""

    code: int | None
    interrupted: bool


class _Command:
    """A command from before it is started until it has ended.

    `interrupt` may be called in a signal handler, hence in the middle of anything that is done here, and
    takes no lock: whatever holds one might be what the signal has interrupted. It gets by with appending to
    a list and popping from it, each of which is done at once or not at all.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self.thread = threading.get_ident()
        self._process: subprocess.Popen[bytes] | None = None
        self._unsent: list[signal.Signals] = []

    def started(self, process: subprocess.Popen[bytes]) -> None:
        """Take the process, which gets the signals that came while it was being started."""
        self._process = process
        self._send()

    def interrupt(self) -> None:
        """Send the process SIGINT, as soon as there is one."""
        self.interrupted = True
        self._unsent.append(signal.SIGINT)
        self._send()

    def _send(self) -> None:
        """Send each signal once, whether `started` or `interrupt` comes to it first."""
        while self._process and self._unsent:
            with suppress(IndexError):
                self._process.send_signal(self._unsent.pop())


_running: set[_Command] = set()


def run(
    command: Sequence[str], *, cwd: str, env: Mapping[str, str], output: Path, errors: Path, seconds: float
) -> CommandResult:
    """Run a command to its end and say how it ended.

    What it prints goes into two files: a plugin that outlives a killed CLI would keep a pipe open. It has a
    session of its own, so that a Ctrl-C in the terminal does not reach it: `interrupt` does.
    """
    this = _Command()
    _running.add(this)
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
        this.started(process)
        code = _code(process, seconds)
    finally:
        _running.discard(this)
    return CommandResult(code, this.interrupted)


def interrupt(threads: Container[int] | None = None) -> int:
    """Ask every running command to finish the steps that it has begun, and to begin no others.

    Returns how many there are; only those that these threads wait for, if any are given. A second time makes
    them drop everything, as the CLI has it. May be called in a signal handler, whatever the signal has
    interrupted.
    """
    running = [command for command in _running.copy() if threads is None or command.thread in threads]
    for command in running:
        command.interrupt()
    return len(running)


def _code(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Return the exit code of a process; one whose time is up is ended, and has none."""
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
