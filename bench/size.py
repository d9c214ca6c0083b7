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
    """Compare customers of three sizes with stacks of equally many resources that do nothing.

    The emulator adds no latency.
    """
    result = []
    for size in SIZES:
        with Emulator() as qlik, stacks.stack(qlik) as stack:
            stack.write(region="eu", source_tenant="templates.eu.qlikcloud.com", customer=stacks.sized(size))
            creation = stacks.run_measured(stack, "up", "--skip-preview", "--yes")
            state = stack.export()["deployment"]["resources"]
        with stacks.floor(len(state)) as stack:
            floor = stacks.fastest(stack.up)
        peaks = ", ".join(f"{kind} {peak / MEGABYTE:.0f} MB" for kind, peak in sorted(creation.peaks.items()))
        result.append(
            Row(
                f"customer with {len(state)} resources",
                f"{creation.requests} requests; {peaks}",
                f"{creation.seconds:.1f} s",
                f"{floor:.1f} s",
                creation.seconds / floor,
            )
        )
        result.append(_state(state))
    return result


def _state(state: list[dict[str, object]]) -> Row:
    """Compare the bytes per resource with and without the SDK's stack traces.

    Fail if our inputs or outputs contain a path of this machine.
    """
    root = str(Path(__file__).parent.parent)
    properties = [
        {"inputs": resource.get("inputs"), "outputs": resource.get("outputs")} for resource in state
    ]
    if root in json.dumps(properties):
        raise SystemExit("The inputs or outputs contain a path of this machine.")
    total = len(json.dumps(state))
    without_traces = len(json.dumps([_without_traces(resource) for resource in state]))
    count = len(state)
    return Row(
        "  state",
        "bytes per resource, with and without stack traces",
        f"{total // count}",
        f"{without_traces // count}",
        total / without_traces,
    )


def _without_traces(resource: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in resource.items() if key != "stackTrace"}
