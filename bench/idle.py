"""The cost of a run without changes. Most of it is the time of Python's imports."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import NamedTuple

from bench import stacks
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.result import Result

REPETITIONS = 7
MAX_UP_RATIO, MAX_PREVIEW_RATIO = 1.15, 1.1


class Cost(NamedTuple):
    """The elapsed seconds of a run, and the CPU seconds of all its processes."""

    seconds: float
    cpu: float


def rows() -> list[Row]:
    """Compare a second `up` and a preview of the demo's customer with resources that do nothing."""
    with Emulator() as qlik, stacks.demo(qlik) as demo:
        demo.up()
        with stacks.floor(len(demo.resources())) as floor:
            floor.up()
            up = compare("up, no change", demo.up, floor.up, MAX_UP_RATIO)
            preview = compare("preview", demo.preview, floor.preview, MAX_PREVIEW_RATIO)
            assert not demo.up().requests
    return [*up, *preview]


def compare(name: str, ours: Callable[[], Result], floor: Callable[[], Result], goal: float) -> list[Row]:
    """Run both in turns. Use the fastest run of each, because a disturbance can only slow a run down."""
    pairs = [(measure(ours), measure(floor)) for _ in range(REPETITIONS)]
    our_cost, floor_cost = (Cost(*map(min, zip(*runs, strict=True))) for runs in zip(*pairs, strict=True))
    return [
        _row(name, "demo, no request", our_cost.seconds, floor_cost.seconds, goal),
        _row("  CPU", "of all processes", our_cost.cpu, floor_cost.cpu, goal),
    ]


def _row(name: str, details: str, ours: float, floor: float, goal: float) -> Row:
    return Row(name, details, f"{ours:.2f} s", f"{floor:.2f} s", ours / floor, goal)


def measure(run: Callable[[], Result]) -> Cost:
    """Call a function that starts processes and waits for them. Return its cost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = run().seconds
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
