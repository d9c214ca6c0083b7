"""Rate limits that the machines of a cluster share. Each turn is requested from the worker of the stack.

The worker forwards the request to the scheduler, which has one budget for all machines. After any failure,
the budget of this machine is used instead, so no request to Qlik fails because of it.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from tenantry.providers.qlik.deadlines import Clock, Deadline
from tenantry.providers.qlik.governor import SLOTS, Governor, Turn, queue
from tenantry.providers.qlik.settings import Settings

SECONDS = 3.0
"""The timeout of a request for a turn."""

PAUSE = 30.0
"""How many seconds no turn is requested after a failure."""


class _Given(Turn):
    """A turn from the cluster. `due` is its time by the clock of this machine."""

    due: float


class ClusterGovernor:
    """A governor for all machines of a cluster.

    `settings` have the worker's address and the part of Qlik's limits that they may use. `own` is used
    if the worker does not answer.
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
        return self._given(response, host, budget, deadline)

    def confirmed(self, host: str, budget: str, turn: Turn, deadline: Deadline) -> Turn:
        """Return the awaited turn, or a later one. Raises DeadlineExceeded if that is too late."""
        if not isinstance(turn, _Given):
            return self._own.confirmed(host, budget, turn, deadline)
        response = self._ask("confirmed", host, budget, slot=turn.slot, remaining=deadline.remaining())
        if response is None:  # then wait as long as other processes of this machine
            return self._own.turn(host, budget, deadline) or Turn(turn.slot, 0.0)
        return self._given(response, host, budget, deadline) or Turn(turn.slot, 0.0)

    def answered(self, host: str, budget: str, turn: Turn) -> None:
        """Count a request from its response, by which time it has arrived."""
        if not isinstance(turn, _Given):
            self._own.answered(host, budget, turn)
        elif self._clock.time() - turn.due >= self._slot:
            self._ask("answered", host, budget, slot=turn.slot)

    def close(self, host: str, budget: str, seconds: float) -> None:
        """Tell other processes for how long Qlik refuses requests."""
        if self._ask("close", host, budget, seconds=seconds) is None:
            self._own.close(host, budget, seconds)

    def _given(self, response: dict[str, Any], host: str, budget: str, deadline: Deadline) -> Turn | None:
        if response.get("late"):
            raise deadline.exceeded(queue(host, budget))
        slot, seconds = response.get("slot"), response.get("seconds")
        if not (isinstance(slot, int) and isinstance(seconds, int | float)):
            return None
        turn = _Given(slot, max(0.0, seconds))
        turn.due = self._clock.time() + turn.seconds
        return turn

    def _ask(self, do: str, host: str, budget: str, **more: float) -> dict[str, Any] | None:
        """Return the worker's response. None if there is none."""
        if self._clock.monotonic() < self._quiet_until:
            return None
        try:
            place, port, token = self._address.split(":")
            request = {"token": token, "do": do, "host": host, "budget": budget, **self._terms, **more}
            with socket.create_connection((place, int(port)), SECONDS) as connection:
                connection.sendall(f"{json.dumps(request)}\n".encode())
                with connection.makefile("rb") as lines:
                    response = json.loads(lines.readline(200))
            if isinstance(response, dict):
                return response
        except (OSError, ValueError):
            pass
        self._quiet_until = self._clock.monotonic() + PAUSE
        return None
