"""Many new customers at once within Qlik's rate limits, compared with the minimum time that the limits allow.

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
WINDOW_SECONDS = 300.0 * SCALE
SHARE = 0.5
REQUESTS_PER_MINUTE = {"1": 1000, "2": 100}
"""Tier -> requests that Qlik allows per user and tenant. If the bot is the only user, half of them."""

REGISTER = "register.eu.qlikcloud.com"
MAX_RATIO = 1.2
TIMEOUT_SECONDS = 900.0

Request = dict[str, Any]


def rows() -> list[Row]:
    """Measure an `up` of all new customers at the same time."""
    with Emulator(rate_limits=True, rate_window_scale=SCALE) as qlik, folder_in_memory() as folder:
        fleet = Fleet(folder, qlik)
        for number in range(STACKS):
            fleet.write(f"c{number:02}", stacks.customer(48, 32, 2) | {"name": f"Customer {number}"})
        limits = {"TENANTRY_RATE_SHARE": str(SHARE), "TENANTRY_RATE_WINDOW": str(WINDOW_SECONDS)}
        started = time.monotonic()
        fleet.env |= limits
        process = fleet.start("up", "--all", "--yes", "--skip-preview", "--jobs", str(STACKS))
        _, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
        seconds = time.monotonic() - started
        if process.returncode:
            raise SystemExit(f"failed: {stderr}")
        return [row(seconds, fleet.requests())]


def row(seconds: float, requests: Sequence[Request]) -> Row:
    """Return the row for a run with this duration and these requests."""
    minimum = minimum_seconds(requests)
    refused = refusals(requests)
    details = (
        f"{STACKS} new customers, {len(requests)} requests, {sum(refused.values())} of them refused (429)"
    )
    # Two refusals for the same reason miss the goal, even in a fast run.
    ratio = seconds / minimum if max(refused.values(), default=0) <= 1 else math.inf
    return Row("rate limits", details, f"{seconds:.0f} s", f"{minimum:.0f} s", ratio, MAX_RATIO)


def refusals(requests: Iterable[Request]) -> Counter[tuple[str, str]]:
    """Count the refused requests by host and tier."""
    return Counter(
        (request["host"], str(request["tier"])) for request in requests if request["status"] == 429
    )


def minimum_seconds(requests: Iterable[Request]) -> float:
    """Return the minimum seconds in which a client can send these requests.

    A window allows `limit` requests of a tier to a host. At 100 per minute, half of the shorter window's
    requests are 100 / 60 * 30 / 2 = 25. So a client sends the nth request at least floor((n - 1) / limit)
    windows after the first. The last request to the register host creates the last customer's tenant. The
    requests to that tenant's own host follow. So both times add up:

        20 tokens and 20 tenants:  floor(39 / 25) * 30 s = 30 s
        then 147 writes:          floor(146 / 25) * 30 s = 150 s
    """
    requests_by_budget = Counter(
        (request["host"], str(request["tier"])) for request in requests if request["status"] != 429
    )
    minimum: dict[str, float] = {}
    for (host, tier), count in requests_by_budget.items():
        if tier in REQUESTS_PER_MINUTE:
            limit = math.floor(REQUESTS_PER_MINUTE[tier] / 60 * WINDOW_SECONDS * SHARE)
            minimum[host] = max(minimum.get(host, 0.0), (count - 1) // limit * WINDOW_SECONDS)
    register_seconds = minimum.pop(REGISTER)
    # The customers are identical, so the last one sends as many requests as any other.
    return register_seconds + min(seconds for seconds in minimum.values() if seconds)
