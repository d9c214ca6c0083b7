"""`--scheduler`: a run on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.extras import needs
from tenantry.cli.output import echo, fail
from tenantry.cli.running import NOTHING_DONE

if TYPE_CHECKING:
    from pathlib import Path

    from tenantry.fleet.cluster.executor import ClusterRun
    from tenantry.fleet.job import Job

Scheduler = Annotated[
    str,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Run on the workers of a Dask cluster: the address of its scheduler, such as tcp://10.0.0.5:8786.",
        show_default=False,
    ),
]


@contextmanager
def cluster_for(address: str, root: Path, *, credentials: bool) -> Iterator[ClusterRun | None]:
    """Yield the cluster at this address, once one of its workers is usable. Without an address, yield None.

    `root` is the folder of the project. `credentials`: the run sends requests to Qlik. The command ends with
    an error if no worker is usable.
    """
    if not address:
        yield None
        return
    with needs("dask"):
        from tenantry.fleet.cluster.connection import is_address
        from tenantry.fleet.cluster.errors import BundleRefused, ClusterUnusable
        from tenantry.fleet.cluster.executor import ClusterRun

    if not is_address(address):
        fail("--scheduler must be the address of a Dask scheduler, such as tcp://10.0.0.5:8786.", code=2)
    opening = ClusterRun.opened(
        address,
        root,
        credentials=credentials,
        lock_holder=_holder_of_lock,
        announce=lambda line: echo(line, err=True),
    )
    try:
        remote = opening.__enter__()
    except (ClusterUnusable, BundleRefused) as error:
        fail(f"--scheduler {address}: {error}. {NOTHING_DONE}")
    try:
        yield remote
    finally:
        opening.__exit__(None, None, None)


def _holder_of_lock(job: Job) -> str:
    """Return who holds the lock of a stack whose worker was lost, and how to release it.

    Returns an empty string if nobody holds it.
    """
    import socket

    from tenantry.audit.locks import locks_of
    from tenantry.state.addresses import address_of, is_pulumi_cloud
    from tenantry.state.backend import Backend

    stack, backend = job.member.stack, Backend(job.root, seconds=30)
    address = address_of(backend)
    if is_pulumi_cloud(address):
        return f"if it is locked: `pulumi cancel --stack {stack}`, then run it again"
    locks = locks_of(backend, address, job.project, stack)
    if not locks:
        return ""
    holders = " and ".join(lock.holder for lock in locks)
    is_here = all(lock.host == socket.gethostname() for lock in locks)
    unlock = f"`tenantry unlock {stack}{'' if is_here else ' --older-than 0'}`"
    advice = f"it is locked by {holders}. Wait until that process ends"
    return f"{advice}, or run {unlock} if it no longer exists. Then run the stack again"
