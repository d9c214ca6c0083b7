"""One budget for all processes of this machine: what they send to a host together stays below Qlik's limit.

Qlik counts requests per user and tenant over five minutes (qlik.dev, "Rate limiting"). The register host and
the source tenant serve every customer: two hundred stacks at once would run into the limit together, and each
would learn of it by a refusal of its own.

A file per host and budget holds how many requests were sent in which seconds. Who wants to send writes itself
in, and is told when. So the limit is shared in the order of asking, and nothing has to run in between.

Qlik counts a request when it arrives, which may be later than its turn. So one that is answered later counts
from then, and whoever has waited for a turn looks once more whether it still is one.
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
"""Into how many parts a window is divided; requests of one part are counted together."""

LATEST = 10.0
"""How many seconds after its turn a request may arrive. What is answered later was under way at Qlik."""

FURTHEST = 20
"""How many windows ahead a turn may lie. What seems to be later was written before the clock was set back."""


class Turn(NamedTuple):
    """When a request may be sent: the part of a window in which it counts, and the seconds until then."""

    slot: int
    seconds: float


class RateGovernor(Protocol):
    """What shares rate limits with other processes, see Governor."""

    def turn(self, host: str, budget: str, deadline: Deadline) -> Turn | None:
        """Count a request, and return when it may be sent; None if nothing has to be counted."""

    def confirmed(self, host: str, budget: str, turn: Turn, deadline: Deadline) -> Turn:
        """Return a turn that was waited for, or a later one."""

    def answered(self, host: str, budget: str, turn: Turn) -> None:
        """Let a request count from when it was answered."""

    def close(self, host: str, budget: str, seconds: float) -> None:
        """Tell the others that Qlik has refused a request, and for how long it will refuse more."""


class Governor:
    """Shares the rate limits of hosts with the other processes of this machine.

    `share` is the part of Qlik's limits that all of them may use together; the rest is for everybody else who
    works with the same user. `folder` is made when it is needed. Where it cannot be written, nothing is
    shared, and Qlik's refusals alone set the pace. `window`: the seconds over which requests are counted.
    """

    def __init__(self, folder: Path, share: float, clock: Clock, window: float = WINDOW) -> None:
        self._folder = folder
        self._share = share
        self._clock = clock
        self._window = window
        self._slot = window / SLOTS

    def turn(self, host: str, budget: str, deadline: Deadline) -> Turn | None:
        """Count a request, and return when it may be sent; None if nothing has to be counted.

        Raises DeadlineExceeded, and counts nothing, if that is too late.
        """
        if budget not in TIERS:
            return None
        with self._record(host, budget) as record:
            if record is None:
                return None
            now = self._clock.time()
            # Turns that were given for later count as well: who comes after them waits behind them.
            first = max(self._first(record, now), *record.sent, 0)
            return self._given(record, first, host, budget, deadline)

    def confirmed(self, host: str, budget: str, turn: Turn, deadline: Deadline) -> Turn:
        """Return a turn that was waited for, or a later one, if others came late or Qlik has refused some.

        Raises DeadlineExceeded, and counts nothing, if that is too late.
        """
        with self._record(host, budget) as record:
            if record is None:
                return Turn(turn.slot, 0.0)
            _withdraw(record, turn.slot)
            return self._given(record, self._first(record, self._clock.time()), host, budget, deadline)

    def answered(self, host: str, budget: str, turn: Turn) -> None:
        """Let a request count from when it was answered, by when it had arrived."""
        late = self._clock.time() - turn.slot * self._slot
        if late < self._slot:
            return
        with self._record(host, budget) as record:
            if record is not None:
                _withdraw(record, turn.slot)
                slot = turn.slot + int(min(late, LATEST) / self._slot)
                record.sent[slot] = record.sent.get(slot, 0) + 1

    def close(self, host: str, budget: str, seconds: float) -> None:
        """Tell the other processes that Qlik has refused a request, and for how long it will refuse more."""
        with self._record(host, budget) as record:
            if record is not None:
                record.closed = max(record.closed, self._clock.time() + seconds)

    def _first(self, record: _Record, now: float) -> int:
        """Return the first slot in which Qlik may take a request."""
        return math.ceil(record.closed / self._slot) if record.closed > now else int(now / self._slot)

    def _given(self, record: _Record, slot: int, host: str, budget: str, deadline: Deadline) -> Turn:
        """Count one more request in the first slot from `slot` on that keeps its window within the limit."""
        allowed = max(1, int(TIERS[budget] * self._window / 60 * self._share))
        # One slot more than a window has: of the oldest a part may still count.
        while sum(count for each, count in record.sent.items() if slot - SLOTS <= each <= slot) >= allowed:
            slot += 1
        seconds = max(0.0, slot * self._slot - self._clock.time())
        if seconds >= deadline.remaining():
            raise deadline.exceeded(queue(host, budget))
        record.sent[slot] = record.sent.get(slot, 0) + 1
        return Turn(slot, seconds)

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


def _withdraw(record: _Record, slot: int) -> None:
    """Take one request out of a slot, if its count is still there."""
    count = record.sent.pop(slot, 0)
    if count > 1:
        record.sent[slot] = count - 1


def _write(handle: int, record: _Record) -> None:
    """Write a record in the place of what a file holds. A full disk is no reason to send nothing."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"sent": record.sent, "closed": record.closed}).encode(), 0)


def queue(host: str, budget: str) -> str:
    """Return what a request waits for, in words."""
    return f"a turn at {host} ({budget}): other runs on this machine send requests as well"
