"""Waiting, with a time limit, for changes that Qlik completes after its response."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.messages import Waiting
from tenantry.providers.qlik.settings import seconds

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 3.0

SECONDS_BETWEEN_LINES = 15.0
"""The time between two messages about the same wait."""


def ready_seconds() -> float:
    """Return how many seconds to wait for an app to be usable: `TENANTRY_READY_SECONDS`, 180 by default."""
    return seconds(os.environ, "TENANTRY_READY_SECONDS", 180, or_none=True)


def lag_seconds() -> float:
    """Return how many seconds Qlik's lists may lag behind: `TENANTRY_LAG_SECONDS`, 30 by default."""
    return seconds(os.environ, "TENANTRY_LAG_SECONDS", 30, or_none=True)


def creation_seconds() -> float:
    """Return how many seconds Qlik may continue to create an object after the response was lost.

    This is `TENANTRY_CREATION_SECONDS`, 300 by default. No source states a maximum. A gateway abandons a
    request after a minute or two, and Qlik's own scripts expect the response within one minute. The default
    is a multiple of both. A shorter time risks a second object.
    """
    return seconds(os.environ, "TENANTRY_CREATION_SECONDS", 300, or_none=True)


def late_seconds(age: float = 0.0) -> float:
    """Return how many seconds to search for an object after the response to its request was lost.

    `age` is the number of seconds since the request.
    """
    return max(lag_seconds(), creation_seconds() + lag_seconds() - age)


@contextmanager
def meanwhile(other: Callable[[], object]) -> Iterator[None]:
    """Run `other` in a second thread while the block runs. Raises the error of either."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(copy_context().run, other)
        yield
        future.result()


def wait(cloud: Cloud, probe: Callable[[], T | None], what: str, longest: float) -> T | None:
    """Call `probe` until it returns a value, and return the value. Return None after `longest` seconds.

    `what` completes "waiting for" in the messages to the user. Raises DeadlineExceeded.
    """
    started = notified_at = cloud.clock.monotonic()
    pause = FIRST_PAUSE_SECONDS
    while (found := probe()) is None:
        now = cloud.clock.monotonic()
        if now - started >= longest:
            return None
        if now - notified_at >= SECONDS_BETWEEN_LINES:
            cloud.notify(Waiting(f"waiting for {what} ({now - started:.0f} of at most {longest:.0f} s)"))
            notified_at = now
        cloud.pause(min(pause, started + longest - now), what)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    return found
