"""A budget that all processes of this machine share, so that together they stay below Qlik's rate limit.

Qlik counts requests per user and tenant over five minutes (qlik.dev, "Rate limiting"). The register host and
the source tenant serve every customer. Two hundred concurrent stacks exceed the limit together. Without a
shared budget, Qlik refuses requests of each of them.

A file per host and budget records how many requests were sent in each slot of time. A process adds its
request to the file and so gets the time to send it. Requests get their turns in order, without a server.

Qlik counts a request on arrival, which may be later than its turn. So a request whose response is late counts
at the time of its response, and a process that waited for its turn checks it again.
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
from typing import NamedTuple, Protocol

from tenantry.providers.qlik.deadlines import Clock, Deadline
from tenantry.providers.qlik.limits import TIERS, WINDOW

SLOTS = 150
"""The number of slots in a window. Requests of one slot are counted together."""

MAX_ARRIVAL_DELAY_SECONDS = 10.0
"""The most seconds between the turn of a request and its arrival. The rest is Qlik's processing time."""

MAX_WINDOWS_AHEAD = 20
"""The most windows between now and a turn. Later turns were recorded before the clock was set back."""


class Turn(NamedTuple):
    """The time to send a request: the slot in which it counts, and the seconds until then."""

    slot: int
    seconds: float


class RateGovernor(Protocol):
    """The interface of objects that share rate limits with other processes. See Governor."""

    def turn(self, host: str, budget: str, deadline: Deadline) -> Turn | None:
        """Count a request and return its turn. None if the budget is not counted."""

    def confirmed(self, host: str, budget: str, turn: Turn, deadline: Deadline) -> Turn:
        """Return the awaited turn, or a later one."""

    def answered(self, host: str, budget: str, turn: Turn) -> None:
        """Count a request at the time of its response."""

    def close(self, host: str, budget: str, seconds: float) -> None:
        """Tell other processes that Qlik refuses requests for this number of seconds."""


class Governor:
    """A governor that shares the rate limits of hosts with the other processes of this machine.

    `share` is the part of Qlik's limits that all of them may use together. The rest is for other programs
    with the same user. `folder` is created when needed. If it cannot be written, nothing is shared, and only
    Qlik's refusals limit the rate. `window` is in seconds.
    """

    def __init__(self, folder: Path, share: float, clock: Clock, window: float = WINDOW) -> None:
        self._folder = folder
        self._share = share
        self._clock = clock
        self._window = window
        self._slot = window / SLOTS

    def turn(self, host: str, budget: str, deadline: Deadline) -> Turn | None:
        """Count a request and return its turn. None if the budget is not counted.

        Raises DeadlineExceeded, and does not count it, if the turn is too late.
        """
        if budget not in TIERS:
            return None
        with self._record(host, budget) as record:
            if record is None:
                return None
            now = self._clock.time()
            # Later turns count too, so that new requests wait behind them.
            first = max(self._first(record, now), *record.sent, 0)
            return self._assign(record, first, host, budget, deadline)

    def confirmed(self, host: str, budget: str, turn: Turn, deadline: Deadline) -> Turn:
        """Return the awaited turn, or a later one if other requests were late or refused.

        Raises DeadlineExceeded, and does not count it, if the turn is too late.
        """
        with self._record(host, budget) as record:
            if record is None:
                return Turn(turn.slot, 0.0)
            _withdraw(record, turn.slot)
            return self._assign(record, self._first(record, self._clock.time()), host, budget, deadline)

    def answered(self, host: str, budget: str, turn: Turn) -> None:
        """Count a request at the time of its response, because it has certainly arrived by then."""
        delay = self._clock.time() - turn.slot * self._slot
        if delay < self._slot:
            return
        with self._record(host, budget) as record:
            if record is not None:
                _withdraw(record, turn.slot)
                slot = turn.slot + int(min(delay, MAX_ARRIVAL_DELAY_SECONDS) / self._slot)
                record.sent[slot] = record.sent.get(slot, 0) + 1

    def close(self, host: str, budget: str, seconds: float) -> None:
        """Tell other processes that Qlik refuses requests for this number of seconds."""
        with self._record(host, budget) as record:
            if record is not None:
                record.closed = max(record.closed, self._clock.time() + seconds)

    def _first(self, record: _Record, now: float) -> int:
        """Return the first slot in which Qlik may accept a request."""
        return math.ceil(record.closed / self._slot) if record.closed > now else int(now / self._slot)

    def _assign(self, record: _Record, slot: int, host: str, budget: str, deadline: Deadline) -> Turn:
        """Count a request in the first slot, starting at `slot`, that keeps its window within the limit."""
        allowed = max(1, int(TIERS[budget] * self._window / 60 * self._share))
        # One slot more than a window, because a part of the oldest slot may still count.
        while sum(count for sent, count in record.sent.items() if slot - SLOTS <= sent <= slot) >= allowed:
            slot += 1
        seconds = max(0.0, slot * self._slot - self._clock.time())
        if seconds >= deadline.remaining():
            raise deadline.exceeded(queue(host, budget))
        record.sent[slot] = record.sent.get(slot, 0) + 1
        return Turn(slot, seconds)

    @contextmanager
    def _record(self, host: str, budget: str) -> Iterator[_Record | None]:
        """Lock and yield the record of a host and budget, then write it back. Yields None if that fails."""
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
        """Lock a file until it is closed, and return its record. None if the file system refuses."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            return self._read(os.pread(handle, os.fstat(handle).st_size, 0).decode("ascii", "replace"))
        except OSError:
            return None

    def _read(self, text: str) -> _Record:
        """Return the recent part of a record, empty if the file is cut off or the clock was set back."""
        now = self._clock.time()
        first, last = now / self._slot - SLOTS - 1, now / self._slot + MAX_WINDOWS_AHEAD * SLOTS
        try:
            found = json.loads(text)
            sent = {int(slot): int(count) for slot, count in found["sent"].items()}
            closed = float(found["closed"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return _Record({}, 0.0)
        recent = {slot: count for slot, count in sent.items() if first <= slot <= last}
        return _Record(recent, closed if closed <= now + MAX_WINDOWS_AHEAD * self._window else 0.0)


@dataclass
class _Record:
    """The number of requests per slot (counted since 1970), and the time until which Qlik refuses more."""

    sent: dict[int, int]
    closed: float


def _withdraw(record: _Record, slot: int) -> None:
    """Remove one request from a slot, if the slot still has one."""
    count = record.sent.pop(slot, 0)
    if count > 1:
        record.sent[slot] = count - 1


def _write(handle: int, record: _Record) -> None:
    """Replace the record in a file. A full disk is not an error, and does not prevent requests."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"sent": record.sent, "closed": record.closed}).encode(), 0)


def queue(host: str, budget: str) -> str:
    """Describe what a request waits for."""
    return f"a turn at {host} ({budget}): other runs on this machine also send requests"
