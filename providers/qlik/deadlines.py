"""The clock, which tests replace, and the deadline, which limits the time of everything inside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from tenantry.providers.qlik.errors import DeadlineExceeded


class Clock(Protocol):
    """The time functions that the client uses."""

    def monotonic(self) -> float:
        """Return the seconds on a clock that never goes back."""

    def time(self) -> float:
        """Return the seconds since 1970 in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait for this number of seconds."""


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Return the seconds on a clock that never goes back."""
        return time.monotonic()

    def time(self) -> float:
        """Return the seconds since 1970 in UTC."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait for this number of seconds."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


class Deadline:
    """A point in time at which all waiting ends.

    `seconds` is the time from now until then. `setting` names the environment variable that allows more time.
    """

    def __init__(self, seconds: float, clock: Clock = SYSTEM_CLOCK, setting: str = "") -> None:
        self.seconds = seconds
        self.setting = setting
        self._clock = clock
        self._ends = clock.monotonic() + seconds

    def remaining(self) -> float:
        """Return the remaining seconds, a negative number after the deadline."""
        return self._ends - self._clock.monotonic()

    def check(self, waiting_for: str) -> None:
        """Raise DeadlineExceeded if no time is left. `waiting_for` completes "to wait for" in its message."""
        if self.remaining() <= 0:
            raise self.exceeded(waiting_for)

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Sleep for this number of seconds.

        Raises DeadlineExceeded at once, without sleeping, if the pause would reach the deadline.
        """
        if seconds >= self.remaining():
            raise self.exceeded(waiting_for)
        self._clock.sleep(seconds)

    @contextmanager
    def turn(self, lock: threading.Lock, waiting_for: str) -> Iterator[None]:
        """Hold a lock inside the block. Raises DeadlineExceeded if other threads keep it for too long."""
        if not lock.acquire(timeout=max(0.0, min(self.remaining(), threading.TIMEOUT_MAX))):
            raise self.exceeded(waiting_for)
        try:
            yield
        finally:
            lock.release()

    def exceeded(self, waiting_for: str) -> DeadlineExceeded:
        """Return the error that names what there was not enough time for."""
        return DeadlineExceeded(self.seconds, waiting_for, self.setting)


_current: ContextVar[Deadline | None] = ContextVar("qlik_deadline", default=None)


@contextmanager
def deadline(seconds: float, *, clock: Clock = SYSTEM_CLOCK, setting: str = "") -> Iterator[Deadline]:
    """Limit the total time of everything inside the block, including waits and retries.

    The deadline belongs to the current context: a thread that starts inside does not inherit it. An inner
    deadline can only shorten an outer one. The error names `setting` as the variable that allows more time.
    """
    outer = _current.get()
    inner = Deadline(seconds, clock, setting)
    if outer is not None and outer.remaining() < seconds:
        inner = outer
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)


@contextmanager
def default_deadline(seconds: float, *, clock: Clock = SYSTEM_CLOCK, setting: str = "") -> Iterator[Deadline]:
    """Set a deadline like `deadline` does, but only if there is none yet.

    An existing deadline stays as it is, even if it is longer.
    """
    current = _current.get()
    if current is not None:
        yield current
        return
    with deadline(seconds, clock=clock, setting=setting) as new:
        yield new


def current_deadline() -> Deadline | None:
    """Return the deadline of this context, None if there is none."""
    return _current.get()
