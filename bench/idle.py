"""What it costs to find out that nothing is to be done: imports are most of it."""

from __future__ import annotations

from bench import stacks
from bench.table import Row
from tenantry.emulator import Emulator

TIMES = 5


def rows() -> list[Row]:
    """Measure a second `up` and a preview of the demo's customer, against resources that do nothing."""
    with Emulator() as qlik, stacks.demo(qlik) as ours:
        ours.up()
        with stacks.floor(len(ours.resources())) as floor:
            floor.up()
            pairs = [(ours.up().seconds, floor.up().seconds) for _ in range(TIMES)]
            up, up_floor = (min(column) for column in zip(*pairs, strict=True))
            pairs = [(ours.preview().seconds, floor.preview().seconds) for _ in range(TIMES)]
            preview, preview_floor = (min(column) for column in zip(*pairs, strict=True))
            assert not ours.up().requests
    return [
        Row("up, no change", "demo, no request", f"{up:.2f} s", f"{up_floor:.2f} s", up / up_floor, 1.2),
        Row(
            "preview",
            "demo, no request",
            f"{preview:.2f} s",
            f"{preview_floor:.2f} s",
            preview / preview_floor,
            1.2,
        ),
    ]
