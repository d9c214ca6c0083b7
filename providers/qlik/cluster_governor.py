"""Rate limits that the machines of a cluster share. The worker of the stack provides each turn.

The worker forwards the request to the scheduler, which has one budget for all machines. After any failure,
this machine's own budget is used instead, so a failure never prevents a request to Qlik.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from tenantry.providers.qlik.deadlines import Clock, Deadline
from tenantry.providers.qlik.governor import SLOTS, Governor, Turn, queue
from tenantry.providers.qlik.settings import Settings

TIMEOUT_SECONDS = 3.0
"""The timeout of a request for a turn."""

PAUSE_SECONDS = 30.0
"""The seconds without requests for turns after a failure."""


class _ClusterTurn(Turn):
    """A turn from the cluster. `due` is its time by the clock of this machine."""

    due: float


class ClusterGovernor:
    """A governor for all machines of a cluster.

    `settings` have the worker's address and the part of Qlik's limits that all machines may use together.
    `own` is the governor of this machine. It takes over if the worker does not answer.
    """

    def __init__(self, settings: Settings, own: Governor, clock: Clock) -> None:
        self._address = settings.rates_at
        self._terms = {"share": settings.rate_share, "window": settings.rate_window}
        self._slot = settings.rate_window / SLOTS
        self._own = own
        self._clock = clock
        self._quiet_until = float("-inf")

    def turn(self, host: str, budget: str, deadline: Deadline) -> Turn | None:
        """Count a request and return its turn. None if the budget is not counted.

        Raises DeadlineExceeded, and does not count it, if the turn is too late.
        """
        response = self._ask("turn", host, budget, remaining=deadline.remaining())
        if response is None:
            return self._own.turn(host, budget, deadline)
        return self._parse(response, host, budget, deadline)

    def confirmed(self, host: str, budget: str, turn: Turn, deadline: Deadline) -> Turn:
        """Return the awaited turn, or a later one. Raises DeadlineExceeded if that is too late."""
        if not isinstance(turn, _ClusterTurn):
            return self._own.confirmed(host, budget, turn, deadline)
        response = self._ask("confirmed", host, budget, slot=turn.slot, remaining=deadline.remaining())
        if response is None:
            return self._own.turn(host, budget, deadline) or Turn(turn.slot, 0.0)
        return self._parse(response, host, budget, deadline) or Turn(turn.slot, 0.0)

    def answered(self, host: str, budget: str, turn: Turn) -> None:
        """Count a request at the time of its response, because it has certainly arrived by then."""
        if not isinstance(turn, _ClusterTurn):
            self._own.answered(host, budget, turn)
        elif self._clock.time() - turn.due >= self._slot:
            self._ask("answered", host, budget, slot=turn.slot)

    def close(self, host: str, budget: str, seconds: float) -> None:
        """Tell other processes that Qlik refuses requests for this number of seconds."""
        if self._ask("close", host, budget, seconds=seconds) is None:
            self._own.close(host, budget, seconds)

    def _parse(self, response: dict[str, Any], host: str, budget: str, deadline: Deadline) -> Turn | None:
        """Return the turn in a response. Raises DeadlineExceeded if it is too late."""
        if response.get("late"):
            raise deadline.exceeded(queue(host, budget))
        slot, seconds = response.get("slot"), response.get("seconds")
        if not (isinstance(slot, int) and isinstance(seconds, int | float)):
            return None
        turn = _ClusterTurn(slot, max(0.0, seconds))
        turn.due = self._clock.time() + turn.seconds
        return turn

    def _ask(self, action: str, host: str, budget: str, **values: float) -> dict[str, Any] | None:
        """Return the worker's response, None if there is none."""
        if self._clock.monotonic() < self._quiet_until:
            return None
        try:
            address, port, token = self._address.split(":")
            request = {"token": token, "do": action, "host": host, "budget": budget, **self._terms, **values}
            with socket.create_connection((address, int(port)), TIMEOUT_SECONDS) as connection:
                connection.sendall(f"{json.dumps(request)}\n".encode())
                with connection.makefile("rb") as lines:
                    response = json.loads(lines.readline(200))
            if isinstance(response, dict):
                return response
        except (OSError, ValueError):
            pass
        self._quiet_until = self._clock.monotonic() + PAUSE_SECONDS
        return None
