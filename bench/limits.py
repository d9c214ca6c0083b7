"""Many new customers at once within Qlik's rate limits: their time compared with the minimum of the limits.

The emulator enforces the same requests per minute in a shorter window, so that the benchmark takes three
minutes. With Qlik's window of five minutes, all requests pass at once.
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
"""Requests that Qlik allows per user and tenant, by tier. If the bot is the only user, half of them."""

REGISTER = "register.eu.qlikcloud.com"
MOST_TIME = 1.2
LONGEST = 900.0

Request = dict[str, Any]


def rows() -> list[Row]:
    """Measure an `up` of all new customers at the same time."""
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
    """Return the row for a run with this duration and these requests."""
    needed = bound(requests)
    again = refusals(requests)
    how = f"{STACKS} new customers, {len(requests)} requests, {sum(again.values())} of them refused (429)"
    # Two refusals for the same reason miss the goal, however fast the run was.
    ratio = seconds / needed if max(again.values(), default=0) <= 1 else math.inf
    return Row("rate limits", how, f"{seconds:.0f} s", f"{needed:.0f} s", ratio, MOST_TIME)


def refusals(requests: Iterable[Request]) -> Counter[tuple[str, str]]:
    """Count the refused requests by host and tier."""
    return Counter(
        (request["host"], str(request["tier"])) for request in requests if request["status"] == 429
    )


def bound(requests: Iterable[Request]) -> float:
    """Return the minimum seconds in which a client can send these requests.

    A window allows `most` requests of a tier to a host. At 100 per minute, half of them in the shorter window
    is 100 / 60 * 30 / 2 = 25. So a client sends the nth request at least floor((n - 1) / most) windows after
    the first. The last request to the register host creates the last customer's tenant. The requests to that
    tenant's own host follow. So both times add up:

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
    # The customers are identical, so the last one sends as many requests as any other.
    return before + min(found for found in needed.values() if found)
