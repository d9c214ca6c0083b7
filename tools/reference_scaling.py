"""The calculations of docs/scaling.md: measurements of one customer, and the results for many customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.providers.qlik.limits import TIERS, WINDOW
from tenantry.providers.qlik.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
MARK = "<!-- `make docs` writes everything below from tools/reference_scaling.py -->\n"

Requests = Mapping[str, float]
"""Requests of one customer, by budget."""


@dataclass(frozen=True)
class Point:
    """One kind of run over customers with 22 resources. `make bench ARGS=scaling` measures these values.

    `cpu` is the CPU seconds of all processes per stack. The requests go to the customer's own tenant, to the
    register host of the region, and to the source tenant.
    """

    name: str
    command: Sequence[str]
    cpu: float
    own: Requests = field(default_factory=dict)
    register: Requests = field(default_factory=dict)
    source: Requests = field(default_factory=dict)

    def computing_minutes(self, customers: int, cores: int) -> float:
        """Return the minutes of computing on this number of cores."""
        return customers * self.cpu / cores / 60

    def rate_limit_minutes(self, customers: int, share: float = Settings.rate_share) -> float:
        """Return the minutes that the rate limits of the shared hosts require.

        If a window allows k requests, the last of n requests goes out floor((n - 1) / k) windows after the
        first.
        """
        shared = [*self.register.items(), *self.source.items()]
        windows = (
            (customers * count - 1) // int(TIERS[budget] * WINDOW / 60 * share) for budget, count in shared
        )
        return max(windows, default=0.0) * WINDOW / 60


READS, WRITES = "tier 1", "tier 2"
POINTS = (
    Point("preview, nothing has changed", ("preview", "--all"), 0.15),
    Point("preview by the engine, as after a change", ("preview", "--all", "--engine"), 0.6),
    Point(
        "new customers",
        ("up", "--all", "--yes"),
        1.6,
        own={READS: 1, WRITES: 21},
        register={WRITES: 2},
        source={READS: 2.1, WRITES: 1.1},
    ),
    Point(
        "a new version of an app",
        ("up", "--all", "--yes"),
        1.3,
        own={READS: 1, WRITES: 5},
        source={READS: 1.1, WRITES: 1.1},
    ),
    Point(
        "comparison with Qlik, every night",
        ("preview", "--all", "--refresh"),
        1.4,
        own={READS: 7, WRITES: 1},
    ),
)
STATE_KB = 44
INSTALLATION_SECONDS = 12.7
"""CPU seconds to create a virtual environment for the program. Each pod of the operator creates one."""
PREVIEW_SECONDS = 1.3
"""CPU seconds of a plain `pulumi preview` without files in memory from other runs."""
SETUP_MINUTES = 1.0
"""The assumed set-up time of a CI job."""
STACKS_PER_JOB = 100
CORES_PER_JOB = 2

FLEETS = (100, 1_000, 8_500)


def pages() -> dict[Path, str]:
    """Return the expected content of the page."""
    handwritten = PAGE.read_text("utf-8").partition(MARK)[0]
    return {PAGE: handwritten + MARK + "\n" + "\n".join(_lines()) + "\n"}


def _lines() -> Iterator[str]:
    yield "## Measured, for one customer"
    yield ""
    yield from _table(
        ("", "CPU", "own tenant", "register host", "source tenant"),
        (
            (point.name, f"{point.cpu:.2f} s", *map(_requests, (point.own, point.register, point.source)))
            for point in POINTS
        ),
    )
    yield ""
    yield (
        f"The state of such a customer has {STATE_KB} KB. A file backend also keeps copies and a history, "
        "about six times as much after a few runs. Installing the program's packages takes "
        f"{INSTALLATION_SECONDS:.0f} s of CPU."
    )
    yield ""
    yield "## Computed, for many"
    yield ""
    cores = CORES_PER_JOB * 20
    yield from _table(
        ("", "customers", f"{CORES_PER_JOB} cores", f"{cores} cores", "rate limits"),
        (
            (
                point.name if customers == FLEETS[0] else "",
                f"{customers:,}",
                _time(point.computing_minutes(customers, CORES_PER_JOB)),
                _time(point.computing_minutes(customers, cores)),
                _time(point.rate_limit_minutes(customers)),
            )
            for point in POINTS
            for customers in FLEETS
        ),
    )
    yield ""
    yield (
        "A run takes the longer of two times: the computing time of its processors, and the time that the "
        "rate limits of the shared hosts require. Add the wait for Qlik's responses: `--jobs` stacks wait at "
        "the same time."
    )
    yield ""
    yield "## Computed machine time"
    yield ""
    yield from _table(
        (
            "",
            "customers",
            "one machine",
            f"CI, {STACKS_PER_JOB} stacks per job",
            "operator, one pod per stack",
        ),
        (
            (
                point.name if customers == FLEETS[0] else "",
                f"{customers:,}",
                *map(_time, _machine_minutes(point, customers)),
            )
            for point in (POINTS[0], POINTS[3], POINTS[4])
            for customers in FLEETS
        ),
    )
    yield ""
    yield (
        f"All values are minutes of machines with {CORES_PER_JOB} cores. Multiply them by your price. Each "
        f"CI job includes {SETUP_MINUTES:.0f} minute for its set-up, which is an assumption. A pod first "
        "installs the packages. The operator runs each stack with the engine, even if nothing has changed. "
        "The workers of a Dask cluster count as one machine, because you set them up once."
    )


def _machine_minutes(point: Point, customers: int) -> tuple[float, float, float]:
    one_machine = point.computing_minutes(customers, CORES_PER_JOB)
    jobs = -(-customers // STACKS_PER_JOB)
    pods = customers * (max(point.cpu, PREVIEW_SECONDS) + INSTALLATION_SECONDS) / CORES_PER_JOB / 60
    return one_machine, one_machine + jobs * SETUP_MINUTES, pods


def _requests(requests: Requests) -> str:
    names = {READS: "read", WRITES: "write"}
    return ", ".join(f"{n:g} {names[budget]}{'s' * (n != 1)}" for budget, n in requests.items()) or "-"


def _time(minutes: float) -> str:
    if minutes == 0:
        return "-"
    if minutes < 1:
        return "< 1 min"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
