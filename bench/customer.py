"""A new customer: its time against the least that the API and the engine allow."""

from __future__ import annotations

from bench import stacks
from bench.table import Row
from emulator import Emulator

LATENCY = 0.1
WORKERS = 4

LONGEST_CHAIN = (
    "POST source /oauth/token",
    "GET  source /licenses/overview",
    "POST register /tenants",
    "POST target /oauth/token",
    "POST target /spaces",
    "POST target /apps/import",
    "POST target /apps/{id}/publish",
    "GET  target /apps/{id}",
)
"""The requests that must follow one another, because each needs what the one before answered."""

STRAIGHT_SCRIPT = {
    "tokens": 3,
    "licence": 1,
    "tenant": 1,
    "name and alias": 1,
    "group and licence settings": 2,
    "groups": 2,
    "spaces": 3,
    "access": 3,
    "template lookups": 2,
    "exports and downloads": 4,
    "imports": 2,
    "publications": 2,
    "readiness": 2,
}
"""What a script that looks at nothing twice sends for the same customer."""


def rows() -> list[Row]:
    """Measure the demo's customer at 100 ms a request, rate limits off."""
    with Emulator(latency_ms=LATENCY * 1000) as qlik, stacks.demo(qlik) as stack:
        made = stacks.watched(stack, "up", "--skip-preview", "--yes")
        resources = len(stack.resources())
    with stacks.floor(resources) as stack:
        floor = stacks.timed(stack.up)
    chain = len(LONGEST_CHAIN) * LATENCY
    spread = made.requests * LATENCY / WORKERS
    least = max(chain, spread) + floor
    script = sum(STRAIGHT_SCRIPT.values())
    what = f"{resources} resources, {LATENCY * 1000:.0f} ms a request"
    return [
        Row("new customer", what, f"{made.seconds:.2f} s", f"{least:.2f} s", made.seconds / least, 1.5),
        Row(
            "  requests", "against a straight script", str(made.requests), str(script), made.requests / script
        ),
    ]
