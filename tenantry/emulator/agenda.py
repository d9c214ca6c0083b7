"""Work scheduled for later, by the emulator's clock."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from starlette.responses import Response

from tenantry.emulator.clock import Clock

Work = Callable[[], Response]


@dataclass(order=True)
class _Entry:
    due: float
    number: int
    work: Work = field(compare=False)
    result: asyncio.Future[Response | None] = field(compare=False)


class Agenda:
    """A queue of work that runs when the clock reaches its due time, in the order of due times.

    During the work the clock stands still at the due time. So it makes no difference whether time passed or
    somebody moved the clock. Work still in the queue is lost when the emulator stops.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[_Entry] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, due: float, work: Work) -> asyncio.Future[Response | None]:
        """Schedule work for a time of the clock. The result is None if `clear` drops the work first."""
        result = asyncio.get_running_loop().create_future()
        heapq.heappush(self._entries, _Entry(due, next(self._numbers), work, result))
        self._set_timer()
        return result

    def run(self) -> None:
        """Do the work that is due. Do not call this within a transaction."""
        while self._entries and self._entries[0].due <= self._clock.now():
            entry = heapq.heappop(self._entries)
            try:
                with self._clock.frozen_at(entry.due):
                    response = entry.work()
            except Exception as problem:  # noqa: BLE001 - raised where the result is awaited, not here
                self._set_result(entry, problem)
            else:
                self._set_result(entry, response)
        self._set_timer()

    def clear(self) -> None:
        """Drop all work that is not done yet."""
        entries, self._entries = self._entries, []
        for entry in entries:
            self._set_result(entry, None)
        self._set_timer()

    def _set_result(self, entry: _Entry, result: Response | Exception | None) -> None:
        if entry.result.done():
            return
        if isinstance(result, Exception):
            entry.result.set_exception(result)
        else:
            entry.result.set_result(result)

    def _set_timer(self) -> None:
        """Set the timer for the next entry, in case nobody moves the clock."""
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if self._entries:
            wait = max(0.0, self._entries[0].due - self._clock.now())
            self._timer = asyncio.get_running_loop().call_later(wait, self.run)
