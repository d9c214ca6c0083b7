"""The interface between a cloud and its hosts."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from tenantry.providers.qlik.deadlines import Clock, Deadline
from tenantry.providers.qlik.messages import Request, Response


class Sender(Protocol):
    """A sender of requests within a deadline. `Cloud` implements it, and its hosts use nothing else."""

    clock: Clock

    def send(self, request: Request) -> Response:
        """Return the response to a request. Raises QlikError."""

    def authenticate(self, hostname: str) -> None:
        """Get a token for a host. Raises QlikError."""

    def time_at(self, hostname: str) -> float | None:
        """Return the time of a host's last response in seconds since 1970. None if it had no date."""

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Wait. Raises DeadlineExceeded, which names `waiting_for`, if the pause would reach the deadline."""

    def default_deadline(self) -> AbstractContextManager[Deadline]:
        """Return a context with the deadline of the settings, unless one is set."""
