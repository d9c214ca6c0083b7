"""One time for a client and the emulator: whoever waits moves both, and nothing takes real time."""

from __future__ import annotations

import threading
import time
from urllib.parse import urlsplit

from tenantry.emulator.control_client import Control, send


class SharedClock:
    """The emulator's clock, as a client's: it is ahead of the machine's by all that anybody has waited.

    What a test advances the emulator by between two runs, the next one starts with.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._ahead = _offset(control)
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic() + self._ahead

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Move the time on, here and there."""
        with self._lock:
            self._control.advance(seconds)
            self._ahead += seconds


def _offset(control: Control) -> float:
    _, clock = send(control.url, "GET", urlsplit(control.url).netloc, "/_emulator/clock")
    return float(clock["offset_seconds"])
