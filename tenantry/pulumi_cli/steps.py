"""Helpers for installation steps: progress lines, commands with helpful errors, locks, atomic writes."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tenantry.errors import TenantryError

TAIL_LINES = 25

PROGRESS_INTERVAL_SECONDS = 15.0
"""How often a long step prints its time."""


class SetupError(TenantryError):
    """A step failed. The message has the attempt, the end of the output, and the next step."""

    def __init__(self, what: str, *, output: str = "", advice: str = "") -> None:
        tail = "\n".join("    " + line for line in output.strip().splitlines()[-TAIL_LINES:])
        super().__init__("\n".join(part for part in (what, tail, advice) if part))


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print one line for the work in this block: `what` at the start, its time (or `failed`) at the end.

    During a long step, adds the time so far to the line.
    """
    started = time.monotonic()
    ended = threading.Event()

    def print_progress() -> None:
        while not ended.wait(PROGRESS_INTERVAL_SECONDS):
            print(f"{time.monotonic() - started:.0f} s ... ", end="", flush=True)

    print(f"{what} ... ", end="", flush=True)
    printer = threading.Thread(target=print_progress, daemon=True)
    printer.start()
    result = "failed"
    try:
        yield
        result = f"{time.monotonic() - started:.1f} s"
    finally:
        ended.set()
        printer.join()
        print(result, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    advice: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Run a command without a terminal and return its output.

    `env` is added to the environment; `timeout` is in seconds. Raises SetupError with the end of the output
    and `advice` if the command is missing, fails, or takes too long.
    """
    shown = " ".join(str(part) for part in command)
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise SetupError(f"Could not start: {shown}", output=str(error), advice=advice) from None
    except subprocess.TimeoutExpired:
        raise SetupError(f"Did not end within {timeout:.0f} s: {shown}", advice=advice) from None
    if done.returncode:
        raise SetupError(f"Exit code {done.returncode}: {shown}", output=done.stdout, advice=advice)
    return done.stdout


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock `file`, which can also be a folder, so that only one process runs the block at a time.

    The operating system releases the lock when the process ends, so a leftover file blocks nobody.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    handle = os.open(file, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another run, which has locked {file}", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """Yield an empty scratch folder that becomes the folder `target` on success.

    An interruption leaves `target` unchanged. Callers hold a lock for `target`, so existing scratch folders
    are leftovers of killed runs, and are removed.
    """
    prefix = f".{target.name}."
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(prefix + "*"):
        remove(leftover)
    scratch = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        yield scratch
        scratch.chmod(0o755)
        remove(target)
        scratch.rename(target)
    finally:
        remove(scratch)


def remove(folder: Path) -> None:
    """Remove a folder with its content, if it exists."""
    if folder.exists():
        shutil.rmtree(folder)


def write(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Write `text` to `file` atomically: a reader sees either the old or the new content."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(name).chmod(mode)
    Path(name).rename(file)
