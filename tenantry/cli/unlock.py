"""`tenantry unlock`: clear the lock that a run left which is not there any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.output import echo, fail
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import confirm
from tenantry.cli.runs import Yes
from tenantry.providers.values.words import plural

if TYPE_CHECKING:
    from tenantry.audit.locks import Lock

CLOUD = (
    "This backend is Pulumi Cloud, which knows by itself which run holds a stack, and keeps no locks that "
    "outlive it. To end a run there: `pulumi cancel --stack {stack}`."
)


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(unlock)


def unlock(
    stack: Annotated[
        str,
        typer.Argument(help="Name of the stack.", show_default=False, autocompletion=names.stacks),
    ],
    older_than: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="MINUTES",
            help="Clear only a lock that is older. Default: any age for a lock of this machine; for those of "
            "others the longest run and what Qlik may do after it, about 75.",
            show_default=False,
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Clear the lock of a stack whose run was killed, after a look at who holds it.

    The lock is all that keeps two runs of a stack apart. One whose process is alive on this machine is never
    cleared; one of another machine only if it is too old to be a run's. Nothing else is changed: what the run
    was cut off at stays in the state, and is told. Pulumi Cloud has `pulumi cancel` for this.
    """
    from tenantry.audit.locks import NoLocksTold, locks_of
    from tenantry.audit.unlocking import aftermath
    from tenantry.state.addresses import address_of, is_pulumi_cloud
    from tenantry.state.backend import Backend, PulumiFailed

    project = current_project()
    backend = Backend(root_of(project))
    try:
        address = address_of(backend)
        if is_pulumi_cloud(address):
            fail(CLOUD.format(stack=stack))
        state = backend.state(stack)

        def look() -> list[Lock]:
            return locks_of(backend, address, project.name, stack)

        locks = look()
        if locks:
            _judge(locks, older_than)
            confirm(f"Clear the lock{plural(len(locks))} of stack {stack}?", yes=yes)
            if look() != locks:
                fail("The locks have changed meanwhile; nothing was cleared. Run the command again.")
            backend.run("cancel", "--yes", "--stack", stack)
            state = backend.state(stack)
    except (PulumiFailed, NoLocksTold) as error:
        fail("", error)
    except OSError as error:
        fail(f"The locks cannot be read: {error.filename}: {error.strerror}")
    echo(f"Stack {stack} is not locked{' any more' if locks else ''}.")
    for line in aftermath(stack, state):
        echo(line)


def _judge(locks: list[Lock], older_than: float | None) -> None:
    """Say who holds each lock; the command ends where one may be a run's, as all are cleared at once."""
    import socket
    from datetime import UTC, datetime, timedelta

    from tenantry.audit.processes import may_be_pulumi
    from tenantry.audit.unlocking import Judge

    age = None if older_than is None else timedelta(minutes=older_than)
    judge = Judge(socket.gethostname(), datetime.now(UTC), may_be_pulumi, age)
    verdicts = [judge.verdict(lock) for lock in locks]
    for each in verdicts:
        echo(f"Locked by {each}.", err=not each.clear)
    if not all(each.clear for each in verdicts):
        fail("Nothing was cleared: the lock is all that keeps two runs of the stack apart.")
