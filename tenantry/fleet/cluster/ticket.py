"""The right to begin a job. The scheduler holds it, and only one worker can take it.

Dask repeats a task if its worker is lost, but a stack must not run twice. So each job has a ticket, which is
an entry of a queue on the scheduler. A worker begins a job only if it gets the ticket. The run gives a job to
another worker only after it has taken the ticket back. A restart of the scheduler removes all tickets.
"""

from __future__ import annotations

from typing import Any

from distributed import Client, Queue, get_client


class Ticket:
    """The ticket of a job, on the side of the run. Use it in the event loop of the client."""

    def __init__(self, name: str, queue: Any) -> None:
        self.name = name
        self._queue = queue

    @classmethod
    async def issue(cls, client: Client, name: str) -> Ticket:
        """Create a ticket. Raises OSError if the scheduler cannot be reached."""
        queue = await Queue(name, client=client)
        await queue.put(name)
        return cls(name, queue)

    async def take_back(self) -> bool:
        """Take the ticket, so that no worker can begin the job. Return False if a worker has taken it."""
        return bool(await self._queue.get(batch=True))

    def forget(self) -> None:
        """Remove the ticket from the scheduler."""
        self._queue.close()


def take(name: str) -> bool:
    """Take a ticket, on a worker. Return False if it is already taken, or unknown to the scheduler."""
    queue = Queue(name, client=get_client())
    try:
        return bool(queue.get(batch=True))
    finally:
        queue.close()
