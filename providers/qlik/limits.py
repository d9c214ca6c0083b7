"""Qlik's rate limits. After a 429, all requests with the same host and budget wait.

Limits are counted per user, tenant and tier. A 429 blocks the whole tier until it lifts, but no other tier
(qlik.dev, "Rate limiting"). A few operations have their own budget.
"""

from __future__ import annotations

import re
import threading

from tenantry.providers.qlik.deadlines import Clock, Deadline

SPECIAL = re.compile(
    r"POST /api/[^/]+/(?:reloads(?:/[^/]+/actions/cancel)?|(?:groups|users)/actions/filter)"
    r"|POST /api/[^/]+/temp-contents/files"
    r"|PATCH /api/[^/]+/temp-contents/files/[^/]+"
)

WINDOW = 300.0
"""The period over which Qlik counts requests, in seconds."""

TIERS = {"tier 1": 1000, "tier 2": 100}
"""How many requests per minute a user may send to a tenant, by budget (qlik.dev, "Rate limiting")."""


def budget(method: str, path: str) -> str:
    """Return the name of the budget that a request counts against: "tier 1" (reads), "tier 2", or its own."""
    operation = f"{method} {path}"
    if SPECIAL.fullmatch(operation):
        return operation
    return "tier 1" if method == "GET" else "tier 2"


class RateLimits:
    """The times until which each host's budgets are closed. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._closed_until: dict[tuple[str, str], float] = {}

    def close(self, host: str, name: str, seconds: float) -> bool:
        """Close a budget for at least this time. Return whether it was open."""
        now = self._clock.monotonic()
        with self._lock:
            before = self._closed_until.get((host, name), now)
            self._closed_until[host, name] = max(before, now + seconds)
        return before <= now

    def wait(self, host: str, name: str, deadline: Deadline) -> None:
        """Wait until a budget is open. Raises DeadlineExceeded immediately if that is too late."""
        while (seconds := self._closed_until.get((host, name), 0.0) - self._clock.monotonic()) > 0:
            deadline.pause(seconds, f"the rate limit of {host} ({name}) to lift, in {seconds:.0f} s")
