"""A new customer: its time compared with the minimum that the API and the engine allow."""

from __future__ import annotations

from collections.abc import Callable

from bench import stacks
from bench.table import Row
from tenantry.demo.example import stack_file
from tenantry.emulator import Emulator
from tests.e2e.customers import everything, settings
from tests.e2e.harness import Stack

LATENCY = 0.1
TIMES = 5
WORKERS = 4
MOST = 1.2
MOST_WITH_EVERYTHING = 1.3

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
"""The requests that must follow one another, because each needs the response to the previous one."""

LONGEST_CHAIN_OF_EVERYTHING = (
    "POST source /oauth/token",
    "GET  source /licenses/overview",
    "POST register /tenants",
    "POST target /oauth/token",
    "POST target /spaces",
    "POST target /apps/import",
    "GET  target /apps/{id}/scripts/current",
    "POST target /apps/{id}/scripts",
    "GET  target /apps/{id}/scripts/current",
    "PUT  target /apps/{id}",
    "POST target /reloads",
    "GET  target /reloads/{id}",
    "POST target /apps/{id}/publish",
    "GET  target /apps/{id}",
    "POST target /scheduling/tasks",
    "POST target /scheduling/tasks",
)
"""The same for a customer with every resource type. The app has a script, a reload and two tasks, which run
one after the other. Reloads take no time in the emulator; at Qlik, add the time of the reload.
"""

DEMO = {
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
"""The requests of a script that creates the demo's customer and reads nothing twice."""

EVERYTHING = {
    "tokens": 3,
    "licence": 1,
    "tenant": 1,
    "name and alias": 1,
    "group and licence settings": 2,
    "web integration, identity provider": 2,
    "content security policy, theme, extension": 3,
    "webhook": 1,
    "brand and its activation": 2,
    "OAuth clients": 2,
    "pinned link": 1,
    "automation, and disabling it": 2,
    "user, administrator, and finding that one": 3,
    "groups": 2,
    "spaces": 3,
    "owner of a space": 1,
    "access": 2,
    "template lookup": 1,
    "export and download": 2,
    "data connection": 1,
    "data file and the connection of its space": 2,
    "import": 1,
    "load script, read and set": 2,
    "reload and its end": 2,
    "publication": 1,
    "readiness": 1,
    "reload tasks": 2,
}
"""The requests of such a script for a customer with every resource type."""


def rows() -> list[Row]:
    """Measure both customers at 100 ms per request, without rate limits."""
    text = stack_file()
    return [
        *measured("new customer", lambda stack: stack.write(text=text), DEMO, LONGEST_CHAIN, MOST),
        *measured(
            "with everything",
            lambda stack: stack.write(**settings(everything())),
            EVERYTHING,
            LONGEST_CHAIN_OF_EVERYTHING,
            MOST_WITH_EVERYTHING,
        ),
    ]


def measured(
    what: str, write: Callable[[Stack], object], script: dict[str, int], chain: tuple[str, ...], goal: float
) -> list[Row]:
    """Create a customer and the same number of resources that do nothing; take the fastest of a few runs."""
    runs, floors = [], []
    for _ in range(TIMES):
        runs.append(_made(write))
        with stacks.floor(runs[-1][1]) as nothing:
            floors.append(nothing.up().seconds)
    made, resources = min(runs, key=lambda run: run[0].seconds)
    spread = made.requests * LATENCY / WORKERS
    least = max(len(chain) * LATENCY, spread) + min(floors)
    sent = sum(script.values())
    how = f"{resources} resources, {LATENCY * 1000:.0f} ms per request"
    return [
        Row(what, how, f"{made.seconds:.2f} s", f"{least:.2f} s", made.seconds / least, goal),
        Row("  requests", "against a straight script", str(made.requests), str(sent), made.requests / sent),
    ]


def _made(write: Callable[[Stack], object]) -> tuple[stacks.Measured, int]:
    with Emulator(latency_ms=LATENCY * 1000) as qlik, stacks.stack(qlik) as stack:
        write(stack)
        return stacks.watched(stack, "up", "--skip-preview", "--yes"), len(stack.resources())
