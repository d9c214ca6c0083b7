"""The points of docs/scaling.md: CPU and requests of one customer, measured over ten customers."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.fleet import folder_in_memory, plan_of
from bench.limits import REGISTER
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.customers import SOURCE_TENANT
from tests.e2e.fleet import Fleet
from tools.reference_scaling import POINTS, STATE_KB, Point, Requests

STACKS = 10
NEW, VERSION = POINTS[2], POINTS[3]
MAX_RATIO = 1.1
"""The allowed ratio of measured requests to the requests on the page."""


def rows() -> list[Row]:
    """Measure each kind of run, and compare it with the page."""
    with Emulator() as qlik, folder_in_memory() as folder:
        fleet = Fleet(folder, qlik)
        fleet.write_plan("bench", plan_of("2.3.0"))
        for number in range(STACKS):
            fleet.write(f"c{number:02}", {"name": f"Customer {number}", "plan": "bench"})
        found = list(_rows(fleet, NEW))
        for point in POINTS:
            if point is VERSION:
                fleet.write_plan("bench", plan_of("2.4.0"))
            if point is not NEW:
                found += _rows(fleet, point)
        return [*found, _state(fleet)]


def _rows(fleet: Fleet, point: Point) -> Iterator[Row]:
    before, began = len(fleet.requests()), _cpu()
    fleet.run(*point.command)
    cpu = (_cpu() - began) / STACKS
    yield Row(f"scaling: {point.name}", "CPU a stack", f"{cpu:.2f} s", f"{point.cpu:.2f} s", cpu / point.cpu)
    sent = Counter(
        (_place(request["host"]), f"tier {request['tier']}") for request in fleet.requests()[before:]
    )
    documented = {"own": point.own, "register": point.register, "source": point.source}
    ours = sum(sent.values()) / STACKS
    page = sum(sum(requests.values()) for requests in documented.values())
    more = max((_ratio(sent, place, requests) for place, requests in documented.items()), default=1.0)
    undocumented = [key for key in sent if key[1] not in documented[key[0]]]
    ratio = float("inf") if undocumented else more
    yield Row("  requests a stack", "own, register, source", f"{ours:g}", f"{page:g}", ratio, MAX_RATIO)


def _ratio(sent: Counter[tuple[str, str]], place: str, page: Requests) -> float:
    return max((sent[place, budget] / STACKS / count for budget, count in page.items()), default=0.0)


def _place(host: str) -> str:
    return {REGISTER: "register", SOURCE_TENANT: "source"}.get(host, "own")


def _state(fleet: Fleet) -> Row:
    backend = Path(fleet.env["PULUMI_BACKEND_URL"].removeprefix("file://"))
    largest = max(file.stat().st_size for file in backend.glob(".pulumi/stacks/*/*.json")) / 1000
    return Row(
        "  state", "of one customer", f"{largest:.0f} KB", f"{STATE_KB} KB", largest / STATE_KB, MAX_RATIO
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
