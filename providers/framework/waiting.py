"""Waiting for what Qlik does a little later than it says, always with a bound."""

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

FIRST_PAUSE, LONGEST_PAUSE, SECONDS_BETWEEN_LINES = 0.25, 3.0, 15.0


def ready_seconds() -> float:
    """How long to wait for an app to be usable, in seconds: `TENANTRY_READY_SECONDS`, 180 by default."""
    return seconds(os.environ, "TENANTRY_READY_SECONDS", 180, or_none=True)


def lag_seconds() -> float:
    """How many seconds Qlik's lists may take to show what is new: `TENANTRY_LAG_SECONDS`, 30 by default."""
    return seconds(os.environ, "TENANTRY_LAG_SECONDS", 30, or_none=True)


def creation_seconds() -> float:
    """How many seconds Qlik may go on with a request to make something after its answer was lost:
    `TENANTRY_CREATION_SECONDS`, 300 by default.

    No source states a longest time. A gateway gives a request up after a minute or two, and Qlik's own
    scripts take the answer to come within one; this is a multiple of both. Whoever shortens it risks a
    second object.
    """
    return seconds(os.environ, "TENANTRY_CREATION_SECONDS", 300, or_none=True)


def late_seconds(age: float = 0.0) -> float:
    """How many seconds to look for what a request of that age, whose answer is not known, may still make."""
    return max(lag_seconds(), creation_seconds() + lag_seconds() - age)


@contextmanager
def meanwhile(other: Callable[[], object]) -> Iterator[None]:
    """Do the block, and something that does not need it at the same time; an error of either comes out."""
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(copy_context().run, other)
        yield
        under_way.result()


def wait(cloud: Cloud, probe: Callable[[], T | None], what: str, longest: float) -> T | None:
    """Call `probe` until it returns something, for `longest` seconds at most; say now and then what is
    awaited.
    """
    started = said = cloud.clock.monotonic()
    pause = FIRST_PAUSE
    while (found := probe()) is None:
        now = cloud.clock.monotonic()
        if now - started >= longest:
            return None
        if now - said >= SECONDS_BETWEEN_LINES:
            cloud.notify(Waiting(f"waiting for {what} ({now - started:.0f} of at most {longest:.0f} s)"))
            said = now
        cloud.pause(min(pause, started + longest - now), what)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return found
