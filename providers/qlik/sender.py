"""What a host needs of the cloud that it belongs to."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from tenantry.providers.qlik.deadlines import Clock, Deadline
from tenantry.providers.qlik.messages import Answer, Request


class Sender(Protocol):
    """Sends requests within a deadline. A `Cloud` is one; its hosts know no more of it."""

    clock: Clock

    def send(self, request: Request) -> Answer:
        """Send a request; raises QlikError."""

    def authenticate(self, hostname: str) -> None:
        """Have a token for a host; raises QlikError."""

    def time_at(self, hostname: str) -> float | None:
        """Return a host's own time in its last answer, as seconds since 1970; None if it said none."""

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Wait; raises DeadlineExceeded."""

    def default_deadline(self) -> AbstractContextManager[Deadline]:
        """Return a context with the deadline of the settings, where none is set."""
