"""The cost of a run without changes; most of it is imports."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import NamedTuple

from bench import stacks
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.result import Result

TIMES = 7
MOST_UP, MOST_PREVIEW = 1.15, 1.1


class Cost(NamedTuple):
    """Seconds of a run: by the clock, and CPU of all its processes."""

    seconds: float
    cpu: float


def rows() -> list[Row]:
    """Compare a second `up` and a preview of the demo's customer with resources that do nothing."""
    with Emulator() as qlik, stacks.demo(qlik) as ours:
        ours.up()
        with stacks.floor(len(ours.resources())) as floor:
            floor.up()
            up = compared("up, no change", ours.up, floor.up, MOST_UP)
            preview = compared("preview", ours.preview, floor.preview, MOST_PREVIEW)
            assert not ours.up().requests
    return [*up, *preview]


def compared(what: str, ours: Callable[[], Result], floor: Callable[[], Result], goal: float) -> list[Row]:
    """Run both in turns; take the fastest run of each, because a disturbance can only slow a run down."""
    pairs = [(measured(ours), measured(floor)) for _ in range(TIMES)]
    mine, least = (Cost(*map(min, zip(*runs, strict=True))) for runs in zip(*pairs, strict=True))
    return [
        _row(what, "demo, no request", mine.seconds, least.seconds, goal),
        _row("  CPU", "of all processes", mine.cpu, least.cpu, goal),
    ]


def _row(what: str, how: str, ours: float, floor: float, goal: float) -> Row:
    return Row(what, how, f"{ours:.2f} s", f"{floor:.2f} s", ours / floor, goal)


def measured(run: Callable[[], Result]) -> Cost:
    """Run something that starts processes and waits for them; return its time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = run().seconds
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
