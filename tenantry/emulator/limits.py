"""Qlik's rate limits."""

from __future__ import annotations

import math
from collections import deque

from tenantry.emulator.call import Call
from tenantry.emulator.errors import Refusal
from tenantry.emulator.world import World

WINDOW_SECONDS = 300.0
TENANT_FACTOR = 0.5


class Limits:
    """Request counts per tenant, user and tier over a rolling window of five minutes.

    Each user has the tier's limit per minute. A tenant has half of that limit per user. This follows the
    published rule literally: a new tenant with only its bot user has half a user's limit. A used-up tier is
    closed until enough requests have left the window. The other tier stays open.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._request_times: dict[tuple[str, ...], deque[float]] = {}

    def clear(self) -> None:
        """Reset all counts."""
        self._request_times.clear()

    def count(self, call: Call) -> None:
        """Count a request.

        Raises:
            Refusal: 429 with Retry-After in whole seconds. A refused request does not count.
        """
        settings = self._world.settings
        if not settings.rate_limits or call.client == "emulator":
            return
        window = WINDOW_SECONDS * settings.rate_window_scale
        operation = call.operation
        tier = (operation.tier, operation.id) if operation.tier == "special" else (operation.tier,)
        allowed = operation.limit * window / 60
        users = max(1, call.store.count(call.tenant_id, "user")) if call.tenant else 1
        scope = call.tenant_id or call.host.name
        now = self._world.now()
        counters = [
            (self._counter(scope, call.user_id or call.client, *tier), allowed),
            (self._counter(scope, "*", *tier), allowed * users * TENANT_FACTOR),
        ]
        wait = max(_wait(times, limit, now, window) for times, limit in counters)
        if wait > 0:
            seconds = math.ceil(wait)
            raise Refusal(
                429,
                "API rate limit reached.",
                code="HTTP-429",
                detail=f"You need to wait {seconds} seconds until limit is lifted.",
                headers={"retry-after": str(seconds)},
            )
        for times, _ in counters:
            times.append(now)

    def _counter(self, *key: str) -> deque[float]:
        return self._request_times.setdefault(key, deque())


def _wait(times: deque[float], limit: float, now: float, window: float) -> float:
    """Return the seconds until the limit allows one more request."""
    while times and times[0] <= now - window:
        times.popleft()
    max_requests = max(1, math.floor(limit))
    return 0.0 if len(times) < max_requests else times[len(times) - max_requests] + window - now
