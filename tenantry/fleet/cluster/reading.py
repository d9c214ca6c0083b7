"""The status of stacks, read by the workers of a cluster.

These are plain tasks: to read a state twice does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tenantry.fleet.cluster import worker as on_worker
from tenantry.fleet.cluster.executor import TICK_SECONDS, ClusterRun
from tenantry.fleet.inventory import StackStatus
from tenantry.fleet.members import Member


def stack_statuses(remote: ClusterRun, members: Sequence[Member], at_once: int) -> Iterator[StackStatus]:
    """Yield the status of each stack, in the given order. If it cannot be read, it has the reason."""
    room = asyncio.Semaphore(at_once)
    looks = [remote.cluster.start(_standing(remote, member, room)) for member in members]
    for look in looks:
        yield look.result()


async def _standing(remote: ClusterRun, member: Member, room: asyncio.Semaphore) -> StackStatus:
    async with room:
        cluster, bundle = remote.cluster, remote.sent
        if cluster.lost:
            return StackStatus(member, trouble=cluster.lost)
        task: Any = cluster.client.submit(
            on_worker.read_stack_status,
            bundle.sha256,
            remote.project_path,
            replace(member, files=(), broken=None),
            workers=list(cluster.fit_workers),
            allow_other_workers=False,
            pure=False,
        )
        result = asyncio.ensure_future(task.result())
        try:
            while not (result.done() or cluster.lost):
                await asyncio.wait({result}, timeout=TICK_SECONDS)
            if not result.done():
                return StackStatus(member, trouble=cluster.lost)
            found: StackStatus = result.result()
            return replace(found, member=member)
        except Exception as error:  # noqa: BLE001 (any error of Dask)
            return StackStatus(member, trouble=cluster.lost or f"no worker could read it: {error}")
        finally:
            result.cancel()
            task.release()
