"""What is to be done later, by the emulator's clock."""

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
    """Each thing is done once the clock has reached its moment, in the order of the moments.

    While it is done the clock stands at that moment, so that it makes no difference whether the time went by
    or was moved in one leap. It is forgotten when the emulator ends.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[_Entry] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, due: float, work: Work) -> asyncio.Future[Response | None]:
        """Have something done at a moment of the clock; the result is None if it is cleared before."""
        result = asyncio.get_running_loop().create_future()
        heapq.heappush(self._entries, _Entry(due, next(self._numbers), work, result))
        self._wind()
        return result

    def run(self) -> None:
        """Do what is due; not within a transaction."""
        while self._entries and self._entries[0].due <= self._clock.now():
            entry = heapq.heappop(self._entries)
            try:
                with self._clock.at(entry.due):
                    done = entry.work()
            except Exception as problem:  # noqa: BLE001 - for whoever waits, not for the request that is next
                self._settle(entry, problem)
            else:
                self._settle(entry, done)
        self._wind()

    def clear(self) -> None:
        """Forget everything that is not done yet."""
        entries, self._entries = self._entries, []
        for entry in entries:
            self._settle(entry, None)
        self._wind()

    def _settle(self, entry: _Entry, result: Response | Exception | None) -> None:
        if entry.result.done():
            return
        if isinstance(result, Exception):
            entry.result.set_exception(result)
        else:
            entry.result.set_result(result)

    def _wind(self) -> None:
        """Set the alarm for what comes next, in case that nobody moves the clock."""
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if self._entries:
            wait = max(0.0, self._entries[0].due - self._clock.now())
            self._timer = asyncio.get_running_loop().call_later(wait, self.run)
