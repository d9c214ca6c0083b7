"""Rate limits that the machines of a cluster share: the worker that runs a stack is asked for each turn.

The worker forwards the question to the scheduler, where one budget is kept for all. Whatever goes wrong on
that way, the budget of this machine is used instead: no request fails for it.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from tenantry.providers.qlik.deadlines import Clock, Deadline
from tenantry.providers.qlik.governor import SLOTS, Governor, Turn, queue
from tenantry.providers.qlik.settings import Settings

SECONDS = 3.0
"""The longest that a turn is asked for."""

PAUSE = 30.0
"""Seconds in which nothing is asked after no answer came."""


class _Given(Turn):
    """A turn that the cluster has given. `due` is when, by the clock of this machine."""

    due: float


class ClusterGovernor:
    """Does what a Governor does for the machines of a cluster together.

    `settings` say where the worker is asked, and which part of Qlik's limits all may use; `own` is used where
    it does not answer.
    """

    def __init__(self, settings: Settings, own: Governor, clock: Clock) -> None:
        self._address = settings.rates_at
        self._terms = {"share": settings.rate_share, "window": settings.rate_window}
        self._slot = settings.rate_window / SLOTS
        self._own = own
        self._clock = clock
        self._quiet_until = float("-inf")

    def turn(self, host: str, budget: str, deadline: Deadline) -> Turn | None:
        """Count a request, and return when it may be sent; None if nothing has to be counted.

        Raises DeadlineExceeded, and counts nothing, if that is too late.
        """
        answer = self._ask("turn", host, budget, remaining=deadline.remaining())
        if answer is None:
            return self._own.turn(host, budget, deadline)
        return self._given(answer, host, budget, deadline)

    def confirmed(self, host: str, budget: str, turn: Turn, deadline: Deadline) -> Turn:
        """Return a turn that was waited for, or a later one. Raises DeadlineExceeded if that is too late."""
        if not isinstance(turn, _Given):
            return self._own.confirmed(host, budget, turn, deadline)
        answer = self._ask("confirmed", host, budget, slot=turn.slot, remaining=deadline.remaining())
        if answer is None:  # who has waited here waits no longer than others on this machine
            return self._own.turn(host, budget, deadline) or Turn(turn.slot, 0.0)
        return self._given(answer, host, budget, deadline) or Turn(turn.slot, 0.0)

    def answered(self, host: str, budget: str, turn: Turn) -> None:
        """Let a request count from when it was answered, by when it had arrived."""
        if not isinstance(turn, _Given):
            self._own.answered(host, budget, turn)
        elif self._clock.time() - turn.due >= self._slot:
            self._ask("answered", host, budget, slot=turn.slot)

    def close(self, host: str, budget: str, seconds: float) -> None:
        """Tell the others that Qlik has refused a request, and for how long it will refuse more."""
        if self._ask("close", host, budget, seconds=seconds) is None:
            self._own.close(host, budget, seconds)

    def _given(self, answer: dict[str, Any], host: str, budget: str, deadline: Deadline) -> Turn | None:
        if answer.get("late"):
            raise deadline.exceeded(queue(host, budget))
        slot, seconds = answer.get("slot"), answer.get("seconds")
        if not (isinstance(slot, int) and isinstance(seconds, int | float)):
            return None
        turn = _Given(slot, max(0.0, seconds))
        turn.due = self._clock.time() + turn.seconds
        return turn

    def _ask(self, do: str, host: str, budget: str, **more: float) -> dict[str, Any] | None:
        """Return the worker's answer, None if there is none."""
        if self._clock.monotonic() < self._quiet_until:
            return None
        try:
            place, port, token = self._address.split(":")
            question = {"token": token, "do": do, "host": host, "budget": budget, **self._terms, **more}
            with socket.create_connection((place, int(port)), SECONDS) as connection:
                connection.sendall(f"{json.dumps(question)}\n".encode())
                with connection.makefile("rb") as lines:
                    answer = json.loads(lines.readline(200))
            if isinstance(answer, dict):
                return answer
        except (OSError, ValueError):
            pass
        self._quiet_until = self._clock.monotonic() + PAUSE
        return None
