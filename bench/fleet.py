"""Many customers: `tenantry` compared with the plain CLI over the same number of stacks that do nothing."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from bench import stacks
from bench.table import Row
from tenantry.emulator import Emulator
from tenantry.fleet.outcome import Change, Difference, Outcome, Report
from tenantry.fleet.pool import default_jobs
from tenantry.fleet.report.markdown import markdown
from tests.e2e.fleet import TENANTRY, Fleet
from tests.e2e.harness import PULUMI, Stack

SIZES = tuple(int(size) for size in os.environ.get("TENANTRY_BENCH_FLEET", "10,50,200").split(","))
RESOURCES = 22
COMMENT_STACKS, COMMENT_SECONDS = 1_000, 5.0
MEGABYTE = 1 << 20
SAMPLE_SECONDS = 0.25


class Cost(NamedTuple):
    """The cost of a command over many stacks. `peak`: the maximum memory of all its processes, in bytes."""

    seconds: float
    cpu: float
    peak: int
    requests: int
    exports: int


def rows() -> list[Row]:
    """Measure a preview, an `up` without changes and a new template version, for each number of customers."""
    result = [_comment()]
    with Emulator() as qlik, folder_in_memory() as folder:
        (folder / "ours").mkdir()
        fleet = Fleet(folder / "ours", qlik)
        floor = Floor(folder / "floor")
        existing = 0
        for index, size in enumerate(SIZES):
            for number in range(existing, size):
                fleet.write(f"c{number:04}", {"name": f"Customer {number}", "plan": "bench"})
            fleet.write_plan("bench", plan_of("2.3.0"))
            creation = _run(fleet, "up", "--all", "--yes")
            floor.grow(size)
            existing = size
            result += _rows(fleet, floor, size, creation, index)
    return result


def _rows(fleet: Fleet, floor: Floor, size: int, creation: Cost, index: int) -> Iterator[Row]:
    """Yield a row for each kind of run over this number of customers."""
    previous_size = SIZES[index - 1] if index else 0
    floor_costs = {kind: floor.run(*command) for kind, command in COMMANDS.items()}
    costs = {kind: _run(fleet, *command) for kind, command in ENGINE_COMMANDS.items()}
    assert not any(cost.requests for cost in costs.values())
    fleet.write_plan("bench", plan_of("2.4.0"))
    shutil.rmtree(fleet.env["TENANTRY_CACHE"])  # it has exports of a smaller fleet
    wave = _run(fleet, "up", "--all", "--yes", "--waves", "10%,100%")
    assert wave.exports == 1, wave.exports
    for kind, cost in costs.items():
        name = f"fleet of {size}: {kind}" if kind == PREVIEW else f"  {kind}"
        yield _row(name, size, cost, floor_costs[kind], MAX_CPU_RATIO[kind])
    details = (
        f"{60 * size / wave.seconds:.0f} per minute; one export; "
        f"{wave.requests / size:.1f} requests per stack"
    )
    yield _row_without_goal("  wave of a new version", details, wave, floor_costs[UP])
    new = size - previous_size
    details = f"{new} new; {creation.requests / new:.1f} requests each"
    yield _row_without_goal("  creation", details, creation, floor_costs[UP])


def _row_without_goal(name: str, details: str, cost: Cost, floor: Cost) -> Row:
    """Return a row without a goal, for a command that does more than its reference."""
    ratio = cost.seconds / floor.seconds
    return Row(name, details, f"{cost.seconds:.0f} s", f"{floor.seconds:.0f} s", ratio)


def _row(name: str, size: int, cost: Cost, floor: Cost, goal: float) -> Row:
    details = (
        f"{60 * size / cost.seconds:.0f} per minute, {cost.seconds:.0f} s; CPU per stack; "
        f"memory {cost.peak // MEGABYTE} MB, {floor.peak // MEGABYTE} MB"
    )
    ratio = cost.cpu / floor.cpu
    return Row(name, details, f"{cost.cpu / size:.2f} s", f"{floor.cpu / size:.2f} s", ratio, goal)


PREVIEW, UP, UP_WITHOUT_PREVIEW = "preview", "up, no change", "the same, --skip-preview"
COMMANDS = {PREVIEW: ("preview",), UP: ("up", "--yes"), UP_WITHOUT_PREVIEW: ("up", "--skip-preview", "--yes")}
"""Kind of run -> the command of the plain CLI on each stack."""

ENGINE_COMMANDS = {
    kind: (command[0], "--all", "--engine", *command[1:]) for kind, command in COMMANDS.items()
}
"""The same commands of `tenantry`. They force the engine for each stack, as if all stacks had changed.

bench/unchanged.py measures them without the engine.
"""

MAX_CPU_RATIO = {PREVIEW: 0.6, UP: 0.8, UP_WITHOUT_PREVIEW: 0.8}
"""Kind of run -> the maximum CPU, as a fraction of the CPU of the plain CLI."""


class Floor:
    """Stacks of resources that do nothing, and runs of the plain CLI over them with the same parallelism."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.stack = Stack(folder, "floor-0", program=stacks.FLOOR)
        self.names: list[str] = []

    def grow(self, size: int) -> None:
        """Create stacks up to this number: the first one with an `up`, the others as its copies."""
        state = self.stack.folder / "pulumi/state/.pulumi/stacks/floor"
        self.stack.write({"floor:resources": RESOURCES})
        if not self.names:
            self.stack.up()
        text, config = (state / "floor-0.json").read_text("utf-8"), self.stack.file.read_text("utf-8")
        for number in range(1, size):
            name = f"floor-{number}"
            (state / f"{name}.json").write_text(text.replace("floor-0", name), "utf-8")
            self.stack.file.with_name(f"Pulumi.{name}.yaml").write_text(config, "utf-8")
        self.names = [f"floor-{number}" for number in range(size)]

    def run(self, *command: str) -> Cost:
        """Run the same command on each stack."""

        def run_one(name: str) -> None:
            subprocess.run(
                [PULUMI, *command, "--stack", name, "--non-interactive", "--color", "never"],
                cwd=self.stack.folder,
                env=self.stack.env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )

        def run_all() -> None:
            with ThreadPoolExecutor(default_jobs()) as pool:
                list(pool.map(run_one, self.names))

        return _measure(run_all, lambda: 0)


def _run(fleet: Fleet, *command: str) -> Cost:
    before = len(fleet.requests())

    def run() -> None:
        result = subprocess.run(
            [TENANTRY, *command],
            cwd=fleet.project,
            env=fleet.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise SystemExit(f"failed: {result.stdout}{result.stderr}")

    cost = _measure(run, lambda: len(fleet.requests()) - before)
    exports = sum("/export" in request["path"] for request in fleet.requests()[before:])
    return cost._replace(exports=exports)


def _measure(run: Callable[[], None], requests: Callable[[], int]) -> Cost:
    """Call a function that starts processes. Measure the CPU of all processes that end during the call."""
    peak, finished = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, finished))
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    watcher.start()
    try:
        run()
    finally:
        finished.set()
        watcher.join()
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu, peak[0], requests(), 0)


def _watch(peak: list[int], finished: threading.Event) -> None:
    own = psutil.Process()
    while not finished.wait(SAMPLE_SECONDS):
        total = 0
        for child in own.children(recursive=True):
            with suppress(psutil.Error):
                total += child.memory_info().rss
        peak[0] = max(peak[0], total)


def plan_of(version: str) -> dict[str, object]:
    """Return a plan of 22 resources: one app in one space, and groups with access."""
    groups = {f"Group {n}": {"roles": ["AnalyticsAdmin"]} for n in range(6)}
    access = {name: ["consumer"] for name in groups}
    spaces = {
        "Staging": {"type": "shared"},
        "Sales": {"type": "managed", "access": access},
        "Inventory": {"type": "managed", "access": {"Group 0": ["consumer"]}},
    }
    app = {"template": "Sales Overview", "version": version, "staging": "Staging", "publish_to": ["Sales"]}
    return {
        "lifecycle": {"kind": "production"},
        "groups": groups,
        "spaces": spaces,
        "apps": {"Sales Overview": app},
    }


def _comment() -> Row:
    """Measure the comment on a pull request that changes 1,000 customers."""
    version = Change(
        "replace", "App", "Sales Overview", (Difference("version", "2.3.0", "2.4.0"),), ("version",)
    )
    outcomes = tuple(
        Outcome(
            f"customer-{number:04}",
            "preview",
            "ok",
            plan="standard",
            changes=(version, *(Change("create", "Group", f"Group {index}") for index in range(number % 7))),
            same=20,
        )
        for number in range(COMMENT_STACKS)
    )
    started = time.perf_counter()
    text = markdown(Report("preview", outcomes))
    seconds = time.perf_counter() - started
    return Row(
        "comment on a pull request",
        f"{COMMENT_STACKS} stacks, {len(text)} characters",
        f"{seconds:.2f} s",
        f"{COMMENT_SECONDS:.0f} s",
        seconds / COMMENT_SECONDS,
        1.0,
    )


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """Yield a temporary folder, in memory if the machine supports it."""
    memory = stacks.MEMORY_FOLDER if stacks.MEMORY_FOLDER.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="tenantry-bench-", dir=memory))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
