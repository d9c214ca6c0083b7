"""Stacks to measure: a customer of any size, and as many resources that do nothing."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tenantry.demo.example import stack_file
from tenantry.emulator import Emulator
from tests.e2e.harness import Process, Stack
from tests.e2e.result import Result

FLOOR = Path(__file__).parent / "floor"
MEMORY = Path("/dev/shm")
PROVIDER = "pulumi.dynamic"


class Measured(NamedTuple):
    """What one `pulumi` command took. `peaks`: the most memory of each kind of process, in bytes."""

    seconds: float
    requests: int
    peaks: dict[str, int]


@contextmanager
def stack(qlik: Emulator | None = None, program: Path | None = None) -> Iterator[Stack]:
    """Yield a new stack of our program, or of another one, in a folder that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="tenantry-bench-", dir=MEMORY if MEMORY.is_dir() else None))
    options: dict[str, Any] = {"program": program} if program else {}
    try:
        with Stack(folder, qlik=qlik, **options) as made:
            yield made
    finally:
        shutil.rmtree(folder)


@contextmanager
def demo(qlik: Emulator) -> Iterator[Stack]:
    """Yield the stack of the demo."""
    with stack(qlik) as made:
        made.file.write_text(stack_file())
        yield made


@contextmanager
def floor(resources: int) -> Iterator[Stack]:
    """Yield a stack with as many resources that do nothing."""
    with stack(program=FLOOR) as made:
        made.write({"floor:resources": resources})
        yield made


def sized(resources: int) -> dict[str, Any]:
    """Return a customer of so many resources: a quarter groups, a quarter spaces, the rest access."""
    return customer(resources // 4, resources // 4, 2)


def customer(groups: int, spaces: int, groups_of_a_space: int) -> dict[str, Any]:
    """Return a customer with so many groups and managed spaces, and groups with access to each space."""
    names = [f"Group {n}" for n in range(groups)]
    roles = ["consumer", "contributor", "publisher"]
    made = {
        f"Space {n}": {
            "type": "managed",
            "access": {names[(n + i) % groups]: [roles[i % len(roles)]] for i in range(groups_of_a_space)},
        }
        for n in range(spaces)
    }
    lifecycle = {"kind": "trial", "ends_on": "2099-12-31", "grace_days": 10}
    groups_of = {name: {"roles": ["AnalyticsAdmin"]} for name in names}
    return {"name": "Sized", "lifecycle": lifecycle, "groups": groups_of, "spaces": made}


def timed(command: Callable[[], Result], times: int = 1) -> float:
    """Return the seconds of the fastest of some runs: what disturbs a run only ever makes it slower."""
    return min(command().seconds for _ in range(times))


def watched(stack: Stack, *args: str) -> Measured:
    """Run a command and watch the memory of its processes meanwhile."""
    process = stack.start(*args)
    peaks: dict[str, int] = {}
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process, peaks, done))
    watcher.start()
    result = process.wait(600)
    done.set()
    watcher.join()
    if result.rc:
        raise SystemExit(f"failed: {result}")
    return Measured(result.seconds, len(result.requests), peaks)


def _watch(process: Process, peaks: dict[str, int], done: threading.Event) -> None:
    while not done.wait(0.02):
        for child in _running(process):
            with suppress(psutil.Error):
                line, used = " ".join(child.cmdline()), child.memory_info().rss
                kind = "provider" if PROVIDER in line else "program" if "language" in line else "CLI"
                peaks[kind] = max(peaks.get(kind, 0), used)


def _running(process: Process) -> list[psutil.Process]:
    """The command and what it started; nothing once it has ended."""
    try:
        return [psutil.Process(process.pid), *process.children()]
    except psutil.NoSuchProcess:
        return []
