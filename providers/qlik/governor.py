"""One budget for all processes of this machine: what they send to a host together stays below Qlik's limit.

Qlik counts requests per user and tenant over five minutes (qlik.dev, "Rate limiting"). The register host and
the source tenant serve every customer: two hundred stacks at once would run into the limit together, and each
would learn of it by a refusal of its own.

A file per host and budget holds how many requests were sent in which seconds. Who wants to send writes itself
in, and is told when. So the limit is shared in the order of asking, and nothing has to run in between.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tenantry.providers.qlik.deadlines import Clock, Deadline
from tenantry.providers.qlik.limits import TIERS

WINDOW = 300.0
"""Seconds over which Qlik counts."""

SLOTS = 150
"""Into how many parts a window is divided; requests of one part are counted together."""

FURTHEST = 20
"""How many windows ahead a turn may lie. What seems to be later was written before the clock was set back."""


class Governor:
    """Shares the rate limits of hosts with the other processes of this machine.

    `share` is the part of Qlik's limits that all of them may use together; the rest is for everybody else who
    works with the same user. `folder` is made when it is needed. Where it cannot be written, nothing is
    shared, and Qlik's refusals alone set the pace. `window` is for tests.
    """

    def __init__(self, folder: Path, share: float, clock: Clock, window: float = WINDOW) -> None:
        self._folder = folder
        self._share = share
        self._clock = clock
        self._window = window
        self._slot = window / SLOTS

    def turn(self, host: str, budget: str, deadline: Deadline) -> float:
        """Count a request, and return in how many seconds it may be sent.

        Raises DeadlineExceeded, and counts nothing, if that is too late.
        """
        limit = TIERS.get(budget)
        if limit is None:
            return 0.0
        allowed = max(1, int(limit * self._window / 60 * self._share))
        with self._record(host, budget) as record:
            if record is None:
                return 0.0
            now = self._clock.time()
            slot = self._free(record, allowed, now)
            seconds = max(0.0, slot * self._slot - now)
            if seconds >= deadline.remaining():
                raise deadline.exceeded(queue(host, budget))
            record.sent[slot] = record.sent.get(slot, 0) + 1
        return seconds

    def close(self, host: str, budget: str, seconds: float) -> None:
        """Tell the other processes that Qlik has refused a request, and for how long it will refuse more."""
        with self._record(host, budget) as record:
            if record is not None:
                record.closed = max(record.closed, self._clock.time() + seconds)

    def _free(self, record: _Record, allowed: int, now: float) -> int:
        """Return the first slot from now in which one more request keeps every window within what is allowed.

        Turns that were given for later count as well: who comes after them waits behind them.
        """
        slot = math.ceil(record.closed / self._slot) if record.closed > now else int(now / self._slot)
        slot = max(slot, *record.sent, slot)
        # One slot more than a window has: of the oldest a part may still count.
        while sum(count for each, count in record.sent.items() if slot - SLOTS <= each) >= allowed:
            slot += 1
        return slot

    @contextmanager
    def _record(self, host: str, budget: str) -> Iterator[_Record | None]:
        """Give what the file of a host and budget holds, locked, and write it back; None where that fails."""
        name = f"{host} {budget}".replace("/", "_")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield None
            return
        try:
            record = self._locked(handle)
            yield record
            if record is not None:
                _write(handle, record)
        finally:
            os.close(handle)

    def _locked(self, handle: int) -> _Record | None:
        """Lock a file until it is closed, and return what it holds; None where the disk does not let it."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            return self._read(os.pread(handle, os.fstat(handle).st_size, 0).decode("ascii", "replace"))
        except OSError:
            return None

    def _read(self, text: str) -> _Record:
        """Return what a file says of now: nothing if it was cut off, or if the clock was set back."""
        now = self._clock.time()
        first, last = now / self._slot - SLOTS - 1, now / self._slot + FURTHEST * SLOTS
        try:
            found = json.loads(text)
            sent = {int(slot): int(count) for slot, count in found["sent"].items()}
            closed = float(found["closed"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return _Record({}, 0.0)
        recent = {slot: count for slot, count in sent.items() if first <= slot <= last}
        return _Record(recent, closed if closed <= now + FURTHEST * self._window else 0.0)


@dataclass
class _Record:
    """How many requests were sent, or may be, in which slots since 1970, and until when Qlik refuses more."""

    sent: dict[int, int]
    closed: float


def _write(handle: int, record: _Record) -> None:
    """Write a record in the place of what a file holds. A full disk is no reason to send nothing."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"sent": record.sent, "closed": record.closed}).encode(), 0)


def queue(host: str, budget: str) -> str:
    """Return what a request waits for, in words."""
    return f"a turn at {host} ({budget}): other runs on this machine send requests as well"
