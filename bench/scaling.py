"""The measurements in docs/scaling.md: CPU and requests per customer, measured over ten customers."""

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
        result = list(_rows(fleet, NEW))
        for point in POINTS:
            if point is VERSION:
                fleet.write_plan("bench", plan_of("2.4.0"))
            if point is not NEW:
                result += _rows(fleet, point)
        return [*result, _state(fleet)]


def _rows(fleet: Fleet, point: Point) -> Iterator[Row]:
    before, cpu_before = len(fleet.requests()), _cpu()
    fleet.run(*point.command)
    cpu = (_cpu() - cpu_before) / STACKS
    yield Row(
        f"scaling: {point.name}", "CPU per stack", f"{cpu:.2f} s", f"{point.cpu:.2f} s", cpu / point.cpu
    )
    counts = Counter(
        (_host_kind(request["host"]), f"tier {request['tier']}") for request in fleet.requests()[before:]
    )
    documented = {"own": point.own, "register": point.register, "source": point.source}
    measured_total = sum(counts.values()) / STACKS
    documented_total = sum(sum(requests.values()) for requests in documented.values())
    largest = max((_ratio(counts, kind, requests) for kind, requests in documented.items()), default=1.0)
    undocumented = [key for key in counts if key[1] not in documented[key[0]]]
    ratio = float("inf") if undocumented else largest
    yield Row(
        "  requests per stack",
        "own, register, source",
        f"{measured_total:g}",
        f"{documented_total:g}",
        ratio,
        MAX_RATIO,
    )


def _ratio(counts: Counter[tuple[str, str]], host_kind: str, documented: Requests) -> float:
    return max(
        (counts[host_kind, budget] / STACKS / count for budget, count in documented.items()), default=0.0
    )


def _host_kind(host: str) -> str:
    return {REGISTER: "register", SOURCE_TENANT: "source"}.get(host, "own")


def _state(fleet: Fleet) -> Row:
    backend = Path(fleet.env["PULUMI_BACKEND_URL"].removeprefix("file://"))
    largest = max(file.stat().st_size for file in backend.glob(".pulumi/stacks/*/*.json")) / 1000
    return Row(
        "  state", "of one customer", f"{largest:.0f} KB", f"{STATE_KB} KB", largest / STATE_KB, MAX_RATIO
    )


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
