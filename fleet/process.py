"""One `pulumi` command of many that run at the same time: started, waited for, interrupted."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LAST_WORDS = 30.0
"""Seconds that a command has to end by itself after it was interrupted because its time was up."""


class Ended(NamedTuple):
    """How a command ended: `code` is its exit code, None if its time was up."""

    code: int | None
    interrupted: bool


_running: set[subprocess.Popen[bytes]] = set()
_interrupted: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


def run(
    command: Sequence[str], *, cwd: str, env: Mapping[str, str], output: Path, errors: Path, seconds: float
) -> Ended:
    """Run a command to its end and say how it ended.

    What it prints goes into two files: a plugin that outlives a killed CLI would keep a pipe open. It has a
    session of its own, so that a Ctrl-C in the terminal does not reach it: `interrupt` does.
    """
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
    with _lock:
        _running.add(process)
    try:
        code: int | None = process.wait(seconds)
    except subprocess.TimeoutExpired:
        code = None
        _end(process)
    finally:
        with _lock:
            _running.discard(process)
            interrupted = process in _interrupted
            _interrupted.discard(process)
    return Ended(code, interrupted)


def interrupt() -> int:
    """Ask every running command to finish the steps that it has begun, and to begin no others.

    Returns how many there are. A second time makes them drop everything, as the CLI has it.
    """
    with _lock:
        running = list(_running)
        _interrupted.update(running)
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    return len(running)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command whose time is up."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(LAST_WORDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
