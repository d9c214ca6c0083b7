"""`tenantry unlock`: the removal of a lock that a killed run left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, fail
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import confirm
from tenantry.cli.runs import Yes
from tenantry.providers.values.words import plural

if TYPE_CHECKING:
    from tenantry.audit.locks import Lock

CLOUD = (
    "This backend is Pulumi Cloud, where no lock outlives its run. To end a run, use "
    "`pulumi cancel --stack {stack}`."
)


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, unlock, example="unlock acme")


def unlock(
    stack: Annotated[
        str,
        typer.Argument(
            metavar="STACK", help="Name of the stack.", show_default=False, autocompletion=names.stacks
        ),
    ],
    older_than: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="MINUTES",
            help="Clear only a lock that is older than this. Default: any age for a lock of this machine, "
            "about 75 for a lock of another machine.",
            show_default=False,
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Clear the lock of a stack whose run was killed.

    The lock prevents two runs of a stack at the same time. The command never clears a lock whose process is
    alive on this machine. It clears a lock of another machine only if the lock is too old to belong to a run.
    It changes nothing else: the state keeps the unfinished work of the run, and the command lists it. With
    Pulumi Cloud, use `pulumi cancel` instead.
    """
    from tenantry.audit.locks import LocksUnknown, locks_of
    from tenantry.audit.unlocking import describe_pending_operations
    from tenantry.state.addresses import address_of, is_pulumi_cloud
    from tenantry.state.backend import Backend, PulumiFailed

    project = current_project()
    backend = Backend(root_of(project))
    try:
        address = address_of(backend)
        if is_pulumi_cloud(address):
            fail(CLOUD.format(stack=stack))
        state = backend.state(stack)

        def read_locks() -> list[Lock]:
            return locks_of(backend, address, project.name, stack)

        locks = read_locks()
        if locks:
            _judge(locks, older_than)
            confirm(f"Clear the lock{plural(len(locks))} of stack {stack}?", yes=yes)
            if read_locks() != locks:
                fail("The locks have changed in the meantime. Nothing was cleared. Run the command again.")
            backend.run("cancel", "--yes", "--stack", stack)
            state = backend.state(stack)
    except (PulumiFailed, LocksUnknown) as error:
        fail("", error)
    except OSError as error:
        fail(f"The locks cannot be read: {error.filename}: {error.strerror}")
    echo(f"Stack {stack} is not locked{' any more' if locks else ''}.")
    for line in describe_pending_operations(stack, state):
        echo(line)


def _judge(locks: list[Lock], older_than: float | None) -> None:
    """Print who holds each lock.

    The command ends if a lock may belong to a run, because all are cleared at once.
    """
    import socket
    from datetime import UTC, datetime, timedelta

    from tenantry.audit.processes import may_be_pulumi
    from tenantry.audit.unlocking import Judge

    age = None if older_than is None else timedelta(minutes=older_than)
    judge = Judge(socket.gethostname(), datetime.now(UTC), may_be_pulumi, age)
    verdicts = [judge.verdict(lock) for lock in locks]
    for verdict in verdicts:
        echo(f"Locked by {verdict}.", err=not verdict.may_be_cleared)
    if not all(verdict.may_be_cleared for verdict in verdicts):
        fail("Nothing was cleared, because only the lock prevents two runs of the stack at the same time.")
