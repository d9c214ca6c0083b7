"""The right to begin a job, held by the scheduler and taken once.

Dask runs a task again when its worker is lost. A stack must not be worked on twice. So each job has a ticket,
an entry of a queue on the scheduler: a worker begins a job only with its ticket, and the run hands a job to
another worker only if it could take the ticket back. After a restart of the scheduler there are no tickets.
"""

from __future__ import annotations

from typing import Any

from distributed import Client, Queue, get_client


class Ticket:
    """The ticket of a job, as the run has it, in the event loop of its client."""

    def __init__(self, name: str, queue: Any) -> None:
        self.name = name
        self._queue = queue

    @classmethod
    async def issue(cls, client: Client, name: str) -> Ticket:
        """Make a ticket. Raises OSError if the scheduler cannot be reached."""
        queue = await Queue(name, client=client)
        await queue.put(name)
        return cls(name, queue)

    async def take_back(self) -> bool:
        """Take the ticket, so that no worker can begin the job any more; False if one has taken it before."""
        return bool(await self._queue.get(batch=True))

    def forget(self) -> None:
        """Leave nothing of it on the scheduler."""
        self._queue.close()


def take(name: str) -> bool:
    """Take a ticket, on a worker; False if it was taken before, or the scheduler does not know it."""
    queue = Queue(name, client=get_client())
    try:
        return bool(queue.get(batch=True))
    finally:
        queue.close()
