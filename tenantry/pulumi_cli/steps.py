"""What the steps of an installation share: a line with the time, commands that fail helpfully, locks."""

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

SECONDS_OF_SILENCE = 15.0
"""After how many seconds a step that goes on says so."""


class SetupError(TenantryError):
    """A step that cannot be finished: what was tried, what came back, and what to do next."""

    def __init__(self, what: str, *, output: str = "", advice: str = "") -> None:
        tail = "\n".join("    " + line for line in output.strip().splitlines()[-TAIL_LINES:])
        super().__init__("\n".join(part for part in (what, tail, advice) if part))


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print one line for the work done inside: `what` at once, its time (or `failed`) at the end.

    A long one adds to the line every few seconds how long it has taken so far.
    """
    started = time.monotonic()
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(SECONDS_OF_SILENCE):
            print(f"{time.monotonic() - started:.0f} s ... ", end="", flush=True)

    print(f"{what} ... ", end="", flush=True)
    signs = threading.Thread(target=go_on, daemon=True)
    signs.start()
    how = "failed"
    try:
        yield
        how = f"{time.monotonic() - started:.1f} s"
    finally:
        ended.set()
        signs.join()
        print(how, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    advice: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Run a command without a terminal and return what it printed.

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
        raise SetupError(f"No end after {timeout:.0f} s: {shown}", advice=advice) from None
    if done.returncode:
        raise SetupError(f"Exit code {done.returncode}: {shown}", output=done.stdout, advice=advice)
    return done.stdout


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock `file` (a directory will do as well), so that what is inside runs once at a time.

    The lock goes with the process that holds it, however that ends: a leftover never blocks anybody.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    handle = os.open(file, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another run that holds {file}", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """Yield an empty scratch folder that becomes the folder `target` when everything went well.

    An interruption leaves `target` as it was. Callers hold a lock for `target`, so that scratch folders found
    here are leftovers of killed runs and go.
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
    """Remove a folder and all in it, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)


def write(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Write `text` to `file` in one step: a reader sees the old content or the new, never half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(name).chmod(mode)
    Path(name).rename(file)
