"""Many new customers at once within Qlik's rate limits: how much longer it takes than the limits need.

The emulator enforces the limits in a shorter window, so that the whole takes three minutes: as many requests
a minute, but all that may be sent in five minutes would go through at once.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from bench import stacks
from bench.fleet import folder_in_memory
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.fleet import Fleet

STACKS = 20
SCALE = 0.1
WINDOW = 300.0 * SCALE
SHARE = 0.5
A_MINUTE = {"1": 1000, "2": 100}
"""What a user may send to a tenant, by tier. A tenant whose only user is the bot may be sent half of it."""

REGISTER = "register.eu.qlikcloud.com"
MOST_TIME = 1.2
LONGEST = 900.0

Request = dict[str, Any]


def rows() -> list[Row]:
    """Measure an `up` of new customers, all at once."""
    with Emulator(rate_limits=True, rate_window_scale=SCALE) as qlik, folder_in_memory() as folder:
        fleet = Fleet(folder, qlik)
        for number in range(STACKS):
            fleet.write(f"c{number:02}", stacks.customer(48, 32, 2) | {"name": f"Customer {number}"})
        shared = {"TENANTRY_RATE_SHARE": str(SHARE), "TENANTRY_RATE_WINDOW": str(WINDOW)}
        began = time.monotonic()
        fleet.env |= shared
        process = fleet.start("up", "--all", "--yes", "--skip-preview", "--jobs", str(STACKS))
        _, stderr = process.communicate(timeout=LONGEST)
        seconds = time.monotonic() - began
        if process.returncode:
            raise SystemExit(f"failed: {stderr}")
        return [row(seconds, fleet.requests())]


def row(seconds: float, requests: Sequence[Request]) -> Row:
    """Return the row for a run that took so long and sent these requests."""
    needed = bound(requests)
    again = refusals(requests)
    how = f"{STACKS} new customers, {len(requests)} requests, {sum(again.values())} of them refused (429)"
    # The same reason twice is a goal missed, however fast it was.
    ratio = seconds / needed if max(again.values(), default=0) <= 1 else math.inf
    return Row("rate limits", how, f"{seconds:.0f} s", f"{needed:.0f} s", ratio, MOST_TIME)


def refusals(requests: Iterable[Request]) -> Counter[tuple[str, str]]:
    """Return how often each host has refused requests of each tier."""
    return Counter(
        (request["host"], str(request["tier"])) for request in requests if request["status"] == 429
    )


def bound(requests: Iterable[Request]) -> float:
    """Return the seconds below which no client can send what was sent.

    A window takes `most` requests of a tier to a host: of 100 a minute, half of what five minutes would let
    through, in the shorter window: 100 / 60 * 30 / 2 = 25. So the nth is sent no earlier than
    floor((n - 1) / most) windows after the first. The last customer's tenant is asked for with the last
    request to the register host; what its own host is sent comes after that. Both take their time:

        20 tokens and 20 tenants:  floor(39 / 25) * 30 s = 30 s
        then 147 writes:          floor(146 / 25) * 30 s = 150 s
    """
    sent = Counter(
        (request["host"], str(request["tier"])) for request in requests if request["status"] != 429
    )
    needed: dict[str, float] = {}
    for (host, tier), count in sent.items():
        if tier in A_MINUTE:
            most = math.floor(A_MINUTE[tier] / 60 * WINDOW * SHARE)
            needed[host] = max(needed.get(host, 0.0), (count - 1) // most * WINDOW)
    before = needed.pop(REGISTER)
    # The customers are alike, so whoever is last has no less to send than any other.
    return before + min(found for found in needed.values() if found)
