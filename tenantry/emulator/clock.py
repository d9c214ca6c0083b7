"""The emulator's own time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate

DAY = 86_400.0


class Clock:
    """Real time plus an offset that only grows.

    Everything that expires, ages or becomes ready uses this clock, so a test can move months in one call.
    It runs on the monotonic clock. A change of the machine's time does not affect it.

    Args:
        offset: seconds ahead of the machine's time, saved by an earlier run.
    """

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset
        self._base = time.time() - time.monotonic()
        self._frozen_at: float | None = None

    def now(self) -> float:
        """Return the seconds since 1970, by the emulator's clock."""
        if self._frozen_at is not None:
            return self._frozen_at
        return self._base + time.monotonic() + self.offset

    @contextmanager
    def frozen_at(self, moment: float) -> Iterator[None]:
        """Stop the clock at a moment for the duration of the block."""
        self._frozen_at = moment
        try:
            yield
        finally:
            self._frozen_at = None

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            ValueError: `seconds` is negative. Tokens and purge dates never move backwards.
        """
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self.offset += seconds


def iso(seconds: float) -> str:
    """Return a time as Qlik writes it, in UTC with milliseconds: `2026-09-16T08:00:00.000Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def http_date(seconds: float) -> str:
    """Return a time in the form of HTTP's `Date` header: `Wed, 16 Sep 2026 08:00:00 GMT`."""
    return formatdate(seconds, usegmt=True)
