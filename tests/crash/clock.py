"""One clock for a client and the emulator: each wait advances both, and takes no real time."""

from __future__ import annotations

import threading
import time
from urllib.parse import urlsplit

from tenantry.emulator.control_client import Control, send


class SharedClock:
    """The emulator's clock for a client. It is ahead of the machine's clock by the sum of all waits.

    If a test advances the emulator between two runs, the next run starts with the new time.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._seconds_ahead = _offset(control)
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Return seconds on a monotonic clock."""
        return time.monotonic() + self._seconds_ahead

    def time(self) -> float:
        """Return seconds since 1970, UTC."""
        return time.time() + self._seconds_ahead

    def sleep(self, seconds: float) -> None:
        """Advance the time of the client and of the emulator."""
        with self._lock:
            self._control.advance(seconds)
            self._seconds_ahead += seconds


def _offset(control: Control) -> float:
    _, clock = send(control.url, "GET", urlsplit(control.url).netloc, "/_emulator/clock")
    return float(clock["offset_seconds"])
