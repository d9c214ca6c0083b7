"""The time to create a customer, compared with the minimum that the API and the engine allow."""

from __future__ import annotations

from collections.abc import Callable

from bench import stacks
from bench.table import Row
from tenantry.demo.example import stack_file
from tenantry.emulator import Emulator
from tests.e2e.customers import everything, settings
from tests.e2e.harness import Stack

LATENCY_SECONDS = 0.1
REPETITIONS = 5
WORKERS = 4
MAX_RATIO = 1.2
MAX_RATIO_WITH_EVERYTHING = 1.3

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
one after the other. Reloads take no time in the emulator. At Qlik, add the time of the reload.
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
"""The numbers of requests in a script that creates the demo's customer and reads nothing twice."""

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
    "user, administrator, and the search for the administrator": 3,
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
"""The numbers of requests in such a script for a customer with every resource type."""


def rows() -> list[Row]:
    """Measure two customers at 100 ms per request, without rate limits. One has every resource type."""
    text = stack_file()
    return [
        *compare("new customer", lambda stack: stack.write(text=text), DEMO, LONGEST_CHAIN, MAX_RATIO),
        *compare(
            "with everything",
            lambda stack: stack.write(**settings(everything())),
            EVERYTHING,
            LONGEST_CHAIN_OF_EVERYTHING,
            MAX_RATIO_WITH_EVERYTHING,
        ),
    ]


def compare(
    name: str, write: Callable[[Stack], object], script: dict[str, int], chain: tuple[str, ...], goal: float
) -> list[Row]:
    """Compare the creation of a customer with the minimum. Each is the fastest of several runs.

    The minimum is the time of the requests, plus the time of the same number of resources that do nothing.
    """
    runs, floors = [], []
    for _ in range(REPETITIONS):
        runs.append(_create(write))
        with stacks.floor(runs[-1][1]) as floor:
            floors.append(floor.up().seconds)
    creation, resources = min(runs, key=lambda run: run[0].seconds)
    spread = creation.requests * LATENCY_SECONDS / WORKERS
    minimum = max(len(chain) * LATENCY_SECONDS, spread) + min(floors)
    expected = sum(script.values())
    details = f"{resources} resources, {LATENCY_SECONDS * 1000:.0f} ms per request"
    ratio = creation.requests / expected
    return [
        Row(name, details, f"{creation.seconds:.2f} s", f"{minimum:.2f} s", creation.seconds / minimum, goal),
        Row("  requests", "compared with a simple script", str(creation.requests), str(expected), ratio),
    ]


def _create(write: Callable[[Stack], object]) -> tuple[stacks.Measurement, int]:
    with Emulator(latency_ms=LATENCY_SECONDS * 1000) as qlik, stacks.stack(qlik) as stack:
        write(stack)
        return stacks.run_measured(stack, "up", "--skip-preview", "--yes"), len(stack.resources())
