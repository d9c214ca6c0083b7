"""The growth of time, memory and state with the size of the customer."""

from __future__ import annotations

import json
from pathlib import Path

from bench import stacks
from bench.table import Row
from tenantry.emulator import Emulator

SIZES = (10, 100, 400)
MEGABYTE = 1 << 20


def rows() -> list[Row]:
    """Measure customers of three sizes without latency, compared with as many resources that do nothing."""
    found = []
    for size in SIZES:
        with Emulator() as qlik, stacks.stack(qlik) as stack:
            stack.write(region="eu", source_tenant="templates.eu.qlikcloud.com", customer=stacks.sized(size))
            made = stacks.watched(stack, "up", "--skip-preview", "--yes")
            state = stack.export()["deployment"]["resources"]
        with stacks.floor(len(state)) as stack:
            floor = stacks.timed(stack.up)
        peaks = ", ".join(f"{kind} {used / MEGABYTE:.0f} MB" for kind, used in sorted(made.peaks.items()))
        found.append(
            Row(
                f"customer of {len(state)}",
                f"{made.requests} requests; {peaks}",
                f"{made.seconds:.1f} s",
                f"{floor:.1f} s",
                made.seconds / floor,
            )
        )
        found.append(_state(state))
    return found


def _state(state: list[dict[str, object]]) -> Row:
    """Compare bytes per resource with and without the SDK's stack traces; allow no path in our properties."""
    here = str(Path(__file__).parent.parent)
    ours = [{"inputs": resource.get("inputs"), "outputs": resource.get("outputs")} for resource in state]
    if here in json.dumps(ours):
        raise SystemExit("The inputs or outputs contain a path of this machine.")
    whole, needed = len(json.dumps(state)), len(json.dumps([_without_traces(resource) for resource in state]))
    count = len(state)
    return Row(
        "  state",
        "bytes a resource; less stack traces",
        f"{whole // count}",
        f"{needed // count}",
        whole / needed,
    )


def _without_traces(resource: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in resource.items() if key != "stackTrace"}
