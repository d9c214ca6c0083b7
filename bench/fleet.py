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
    """The cost of a command over many stacks. `peak`: the maximum bytes of all its processes together."""

    seconds: float
    cpu: float
    peak: int
    requests: int
    exports: int


def rows() -> list[Row]:
    """Measure a preview, an `up` without changes and a new template version, for more and more customers."""
    found = [_comment()]
    with Emulator() as qlik, folder_in_memory() as folder:
        (folder / "ours").mkdir()
        ours = Fleet(folder / "ours", qlik)
        floor = Floor(folder / "floor")
        there = 0
        for turn, size in enumerate(SIZES):
            for number in range(there, size):
                ours.write(f"c{number:04}", {"name": f"Customer {number}", "plan": "bench"})
            ours.write_plan("bench", plan_of("2.3.0"))
            made = _measured(ours, "up", "--all", "--yes")
            floor.grow(size)
            there = size
            found += _rows(ours, floor, size, made, turn)
    return found


def _rows(ours: Fleet, floor: Floor, size: int, made: Cost, turn: int) -> Iterator[Row]:
    """Yield a row for each kind of run over this number of customers."""
    before = SIZES[turn - 1] if turn else 0
    nothing = {kind: floor.run(*command) for kind, command in COMMANDS.items()}
    took = {kind: _measured(ours, *command) for kind, command in OURS.items()}
    assert not any(measured.requests for measured in took.values())
    ours.write_plan("bench", plan_of("2.4.0"))
    shutil.rmtree(ours.env["TENANTRY_CACHE"])  # exports of a smaller fleet
    wave = _measured(ours, "up", "--all", "--yes", "--waves", "10%,100%")
    assert wave.exports == 1, wave.exports
    for kind, mine in took.items():
        what = f"fleet of {size}: {kind}" if kind == PREVIEW else f"  {kind}"
        yield _row(what, size, mine, nothing[kind], MOST_CPU[kind])
    rolled = (
        f"{60 * size / wave.seconds:.0f} a minute; one export; {wave.requests / size:.1f} requests a stack"
    )
    yield _beside("  wave of a new version", rolled, wave, nothing[UP])
    new = size - before
    yield _beside("  creation", f"{new} new; {made.requests / new:.1f} requests each", made, nothing[UP])


def _beside(what: str, how: str, ours: Cost, floor: Cost) -> Row:
    """Return a row without a goal, for a command that does more than its reference."""
    ratio = ours.seconds / floor.seconds
    return Row(what, how, f"{ours.seconds:.0f} s", f"{floor.seconds:.0f} s", ratio)


def _row(what: str, size: int, ours: Cost, floor: Cost, goal: float) -> Row:
    how = (
        f"{60 * size / ours.seconds:.0f} a minute, {ours.seconds:.0f} s; CPU a stack; "
        f"memory {ours.peak // MEGABYTE} MB, {floor.peak // MEGABYTE} MB"
    )
    return Row(what, how, f"{ours.cpu / size:.2f} s", f"{floor.cpu / size:.2f} s", ours.cpu / floor.cpu, goal)


PREVIEW, UP, BARE = "preview", "up, no change", "the same, --skip-preview"
COMMANDS = {PREVIEW: ("preview",), UP: ("up", "--yes"), BARE: ("up", "--skip-preview", "--yes")}
"""The commands of the plain CLI on each stack, and the commands compared with them."""

OURS = {kind: (command[0], "--all", "--engine", *command[1:]) for kind, command in COMMANDS.items()}
"""Forces the engine for each stack, as if all stacks have changed. bench/unchanged.py measures without it."""

MOST_CPU = {PREVIEW: 0.6, UP: 0.8, BARE: 0.8}
"""The maximum CPU for each kind, as a fraction of the plain CLI's."""


class Floor:
    """Stacks of resources that do nothing, and the plain CLI over all of them, with the same parallelism."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.stack = Stack(folder, "floor-0", program=stacks.FLOOR)
        self.names: list[str] = []

    def grow(self, size: int) -> None:
        """Create stacks up to this number: the first with an `up`, the others as its copies."""
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

        def one(name: str) -> None:
            subprocess.run(
                [PULUMI, *command, "--stack", name, "--non-interactive", "--color", "never"],
                cwd=self.stack.folder,
                env=self.stack.env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )

        def every() -> None:
            with ThreadPoolExecutor(default_jobs()) as pool:
                list(pool.map(one, self.names))

        return _took(every, lambda: 0)


def _measured(ours: Fleet, *command: str) -> Cost:
    sent = len(ours.requests())

    def run() -> None:
        done = subprocess.run(
            [TENANTRY, *command], cwd=ours.project, env=ours.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"failed: {done.stdout}{done.stderr}")

    took = _took(run, lambda: len(ours.requests()) - sent)
    exported = sum("/export" in request["path"] for request in ours.requests()[sent:])
    return took._replace(exports=exported)


def _took(run: Callable[[], None], requests: Callable[[], int]) -> Cost:
    """Run something that starts processes, and measure the CPU of all processes that end in it."""
    peak, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, done))
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu, peak[0], requests(), 0)


def _watch(peak: list[int], done: threading.Event) -> None:
    own = psutil.Process()
    while not done.wait(SAMPLE_SECONDS):
        total = 0
        for child in own.children(recursive=True):
            with suppress(psutil.Error):
                total += child.memory_info().rss
        peak[0] = max(peak[0], total)


def plan_of(version: str) -> dict[str, object]:
    """Return a plan that gives a customer 22 resources: one app in one space, and groups with access."""
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
    began = time.perf_counter()
    text = markdown(Report("preview", outcomes))
    seconds = time.perf_counter() - began
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
