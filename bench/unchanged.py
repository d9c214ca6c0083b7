"""The growth of the cost of commands over unchanged stacks, which are copies of one stack after an `up`."""

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
MAX_CPU_PER_STACK = 0.15
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
        costs: dict[str, list[Cost]] = {name: [] for name in COMMANDS}
        existing = 1
        for size in SIZES:
            for number in range(existing, size):
                copy_stack(fleet, FIRST, f"c{number:04}")
            existing = size
            for name, command in COMMANDS.items():
                costs[name].append(_run(fleet, command, size))
        return [row for name, costs_by_size in costs.items() for row in _rows(name, costs_by_size)]


def _rows(name: str, costs: list[Cost]) -> Iterator[Row]:
    goal = 1.0 if name == PREVIEW else None
    for size, cost in zip(SIZES, costs, strict=True):
        details = f"{size} stacks, {60 * size / cost.seconds:.0f} per minute; CPU per stack"
        cpu_per_stack = cost.cpu / size
        yield Row(
            name,
            details,
            f"{cpu_per_stack:.3f} s",
            f"{MAX_CPU_PER_STACK} s",
            cpu_per_stack / MAX_CPU_PER_STACK,
            goal,
        )
    smallest, largest = costs[0], costs[-1]
    yield Row(
        "  growth",
        f"CPU of {SIZES[-1]} stacks compared with {SIZES[-1] / SIZES[0]:g} x {SIZES[0]} stacks",
        f"{largest.cpu:.0f} s",
        f"{smallest.cpu * SIZES[-1] / SIZES[0]:.0f} s",
        largest.cpu * SIZES[0] / SIZES[-1] / smallest.cpu,
        MAX_GROWTH,
    )
    bytes_per_stack = (largest.peak - smallest.peak) / (SIZES[-1] - SIZES[0])
    yield Row(
        "  memory of the command",
        f"{bytes_per_stack / 1024:.0f} kB more for each stack",
        f"{largest.peak // MEGABYTE} MB",
        f"{smallest.peak // MEGABYTE} MB",
        largest.peak / smallest.peak,
    )


def _run(fleet: Fleet, command: Sequence[str], size: int) -> Cost:
    process = fleet.start(*command)
    peak, finished = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(psutil.Process(process.pid), peak, finished))
    before, started = psutil.Process().cpu_times(), time.monotonic()
    watcher.start()
    result = fleet.wait(process)
    finished.set()
    watcher.join()
    after, seconds = psutil.Process().cpu_times(), time.monotonic() - started
    if command[0] == "status":
        assert len(result.json["stacks"]) == size
    else:
        outcomes = result.outcomes
        assert len(outcomes) == size
        assert not any(outcome.changes or outcome.failed or not outcome.same for outcome in outcomes.values())
    cpu = sum(after[2:4]) - sum(before[2:4])  # the times of ended child processes
    return Cost(cpu, seconds, peak[0])


def _watch(process: psutil.Process, peak: list[int], finished: threading.Event) -> None:
    while not finished.wait(SAMPLE_SECONDS):
        with suppress(psutil.Error):
            peak[0] = max(peak[0], process.memory_info().rss)
