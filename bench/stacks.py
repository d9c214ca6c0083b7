"""Stacks to measure: a customer of any size, and the same number of resources that do nothing."""

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
MEMORY_FOLDER = Path("/dev/shm")
PROVIDER = "pulumi.dynamic"


class Measurement(NamedTuple):
    """The cost of one `pulumi` command. `peaks`: the maximum memory of each kind of process, in bytes."""

    seconds: float
    requests: int
    peaks: dict[str, int]


@contextmanager
def stack(qlik: Emulator | None = None, program: Path | None = None) -> Iterator[Stack]:
    """Yield a new stack of our program, or of `program`, in a temporary folder."""
    folder = Path(
        tempfile.mkdtemp(prefix="tenantry-bench-", dir=MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None)
    )
    options: dict[str, Any] = {"program": program} if program else {}
    try:
        with Stack(folder, qlik=qlik, **options) as new_stack:
            yield new_stack
    finally:
        shutil.rmtree(folder)


@contextmanager
def demo(qlik: Emulator) -> Iterator[Stack]:
    """Yield the stack of the demo."""
    with stack(qlik) as new_stack:
        new_stack.file.write_text(stack_file())
        yield new_stack


@contextmanager
def floor(resources: int) -> Iterator[Stack]:
    """Yield a stack with this number of resources that do nothing."""
    with stack(program=FLOOR) as new_stack:
        new_stack.write({"floor:resources": resources})
        yield new_stack


def sized(resources: int) -> dict[str, Any]:
    """Return a customer with this number of resources: a quarter groups and a quarter spaces."""
    return customer(resources // 4, resources // 4, 2)


def customer(groups: int, spaces: int, groups_per_space: int) -> dict[str, Any]:
    """Return a customer with these numbers of groups, of managed spaces, and of groups per space."""
    names = [f"Group {n}" for n in range(groups)]
    roles = ["consumer", "contributor", "publisher"]
    spaces_by_name = {
        f"Space {n}": {
            "type": "managed",
            "access": {names[(n + i) % groups]: [roles[i % len(roles)]] for i in range(groups_per_space)},
        }
        for n in range(spaces)
    }
    lifecycle = {"kind": "trial", "ends_on": "2099-12-31", "grace_days": 10}
    groups_by_name = {name: {"roles": ["AnalyticsAdmin"]} for name in names}
    return {"name": "Sized", "lifecycle": lifecycle, "groups": groups_by_name, "spaces": spaces_by_name}


def fastest(command: Callable[[], Result], times: int = 1) -> float:
    """Return the seconds of the fastest run, because a disturbance can only slow a run down."""
    return min(command().seconds for _ in range(times))


def run_measured(stack: Stack, *args: str) -> Measurement:
    """Run a command and measure the memory of its processes."""
    process = stack.start(*args)
    peaks: dict[str, int] = {}
    finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process, peaks, finished))
    watcher.start()
    result = process.wait(600)
    finished.set()
    watcher.join()
    if result.rc:
        raise SystemExit(f"failed: {result}")
    return Measurement(result.seconds, len(result.requests), peaks)


def _watch(process: Process, peaks: dict[str, int], finished: threading.Event) -> None:
    while not finished.wait(0.02):
        for child in _running(process):
            with suppress(psutil.Error):
                line, memory = " ".join(child.cmdline()), child.memory_info().rss
                kind = "provider" if PROVIDER in line else "program" if "language" in line else "CLI"
                peaks[kind] = max(peaks.get(kind, 0), memory)


def _running(process: Process) -> list[psutil.Process]:
    """Return the command's process and its children. The list is empty after the command has ended."""
    try:
        return [psutil.Process(process.pid), *process.children()]
    except psutil.NoSuchProcess:
        return []
