"""The status of stacks, read by the workers of a cluster.

These are plain tasks without tickets, because Dask may read a state twice.
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
    """Yield the status of each stack, in the given order. `trouble` is the reason if it cannot be read."""
    slots = asyncio.Semaphore(at_once)
    futures = [remote.cluster.start(_read_status(remote, member, slots)) for member in members]
    for future in futures:
        yield future.result()


async def _read_status(remote: ClusterRun, member: Member, slots: asyncio.Semaphore) -> StackStatus:
    async with slots:
        cluster, bundle = remote.cluster, remote.packed_bundle
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
            stack_status: StackStatus = result.result()
            return replace(stack_status, member=member)
        except Exception as error:  # noqa: BLE001 (any error of Dask)
            return StackStatus(member, trouble=cluster.lost or f"no worker could read it: {error}")
        finally:
            result.cancel()
            task.release()
