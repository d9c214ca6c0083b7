"""Time: the clock, which tests replace, and the deadline that bounds everything done inside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from tenantry.providers.qlik.errors import DeadlineExceeded


class Clock(Protocol):
    """What the client needs of time."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def time(self) -> float:
        """Seconds since 1970, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""


class SystemClock:
    """The clock of the machine."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


class Deadline:
    """A point in time after which nothing is waited for. `setting` names the variable that allows more."""

    def __init__(self, seconds: float, clock: Clock = SYSTEM_CLOCK, setting: str = "") -> None:
        self.seconds = seconds
        self.setting = setting
        self._clock = clock
        self._ends = clock.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, negative when it has passed."""
        return self._ends - self._clock.monotonic()

    def check(self, waiting_for: str) -> None:
        """Raise DeadlineExceeded if no time is left."""
        if self.remaining() <= 0:
            raise self.exceeded(waiting_for)

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Sleep; raise DeadlineExceeded at once, without sleeping, if that would reach the deadline."""
        if seconds >= self.remaining():
            raise self.exceeded(waiting_for)
        self._clock.sleep(seconds)

    @contextmanager
    def turn(self, lock: threading.Lock, waiting_for: str) -> Iterator[None]:
        """Hold a lock inside; raise DeadlineExceeded if other threads keep it for too long."""
        if not lock.acquire(timeout=max(0.0, min(self.remaining(), threading.TIMEOUT_MAX))):
            raise self.exceeded(waiting_for)
        try:
            yield
        finally:
            lock.release()

    def exceeded(self, waiting_for: str) -> DeadlineExceeded:
        """Return the error that says what the time was not enough for."""
        return DeadlineExceeded(self.seconds, waiting_for, self.setting)


_current: ContextVar[Deadline | None] = ContextVar("qlik_deadline", default=None)


@contextmanager
def deadline(seconds: float, *, clock: Clock = SYSTEM_CLOCK, setting: str = "") -> Iterator[Deadline]:
    """Bound the total time of everything inside, waits and repetitions included.

    It belongs to the current context: a thread started inside does not inherit it. An inner deadline can
    only shorten an outer one. `setting` is named in the error as the variable that allows more.
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
    """Like `deadline`, but only where none is set: one that is stays as it is, shorter or longer."""
    current = _current.get()
    if current is not None:
        yield current
        return
    with deadline(seconds, clock=clock, setting=setting) as own:
        yield own


def current_deadline() -> Deadline | None:
    """Return the deadline of this context, None outside any."""
    return _current.get()
