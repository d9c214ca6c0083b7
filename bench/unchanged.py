"""The growth of commands over stacks without changes, which are copies of one stack after an `up`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import psutil

from bench.fleet import MEGABYTE, SAMPLE_SECONDS, folder_in_memory, plan_of
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.fleet import Fleet, copy_stack

SIZES = tuple(int(size) for size in os.environ.get("TENANTRY_BENCH_UNCHANGED", "100,1000").split(","))
CPU_A_STACK = 0.15
MAX_GROWTH = 1.05
FIRST = "c0000"
PREVIEW = "preview, nothing changed"
COMMANDS = {
    PREVIEW: ("preview", "--all", "--json"),
    "wave, nothing changed": ("up", "--all", "--yes", "--waves", "10%,100%", "--json"),
    "status": ("status", "--all", "--json"),
}


class Cost(NamedTuple):
    """The cost of a command: CPU seconds of all its processes, and its own maximum memory in bytes."""

    cpu: float
    seconds: float
    peak: int


def rows() -> list[Row]:
    """Measure each command at each size: the CPU per stack, and its growth."""
    with Emulator() as qlik, folder_in_memory() as folder:
        fleet = Fleet(folder, qlik)
        fleet.write_plan("bench", plan_of("2.3.0"))
        fleet.write(FIRST, {"name": "Customer", "plan": "bench"})
        fleet.run("up", FIRST, "--yes", "--skip-preview")
        took: dict[str, list[Cost]] = {what: [] for what in COMMANDS}
        there = 1
        for size in SIZES:
            for number in range(there, size):
                copy_stack(fleet, FIRST, f"c{number:04}")
            there = size
            for what, command in COMMANDS.items():
                took[what].append(_run(fleet, command, size))
        return [row for what, measured in took.items() for row in _rows(what, measured)]


def _rows(what: str, took: list[Cost]) -> Iterator[Row]:
    goal = 1.0 if what == PREVIEW else None
    for size, measured in zip(SIZES, took, strict=True):
        how = f"{size} stacks, {60 * size / measured.seconds:.0f} a minute; CPU a stack"
        a_stack = measured.cpu / size
        yield Row(
            what,
            how,
            f"{a_stack:.3f} s",
            f"{CPU_A_STACK} s",
            a_stack / CPU_A_STACK,
            goal,
        )
    least, most = took[0], took[-1]
    yield Row(
        "  growth",
        f"CPU of {SIZES[-1]} stacks compared with {SIZES[-1] / SIZES[0]:g} x {SIZES[0]} stacks",
        f"{most.cpu:.0f} s",
        f"{least.cpu * SIZES[-1] / SIZES[0]:.0f} s",
        most.cpu * SIZES[0] / SIZES[-1] / least.cpu,
        MAX_GROWTH,
    )
    a_stack = (most.peak - least.peak) / (SIZES[-1] - SIZES[0])
    yield Row(
        "  memory of the command",
        f"{a_stack / 1024:.0f} kB more for each stack",
        f"{most.peak // MEGABYTE} MB",
        f"{least.peak // MEGABYTE} MB",
        most.peak / least.peak,
    )


def _run(fleet: Fleet, command: Sequence[str], size: int) -> Cost:
    process = fleet.start(*command)
    peak, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(psutil.Process(process.pid), peak, done))
    before, began = psutil.Process().cpu_times(), time.monotonic()
    watcher.start()
    result = fleet.wait(process)
    done.set()
    watcher.join()
    after, seconds = psutil.Process().cpu_times(), time.monotonic() - began
    if command[0] == "status":
        assert len(result.json["stacks"]) == size
    else:
        outcomes = result.outcomes
        assert len(outcomes) == size
        assert not any(outcome.changes or outcome.failed or not outcome.same for outcome in outcomes.values())
    cpu = sum(after[2:4]) - sum(before[2:4])  # ended children and their children
    return Cost(cpu, seconds, peak[0])


def _watch(process: psutil.Process, peak: list[int], done: threading.Event) -> None:
    while not done.wait(SAMPLE_SECONDS):
        with suppress(psutil.Error):
            peak[0] = max(peak[0], process.memory_info().rss)
