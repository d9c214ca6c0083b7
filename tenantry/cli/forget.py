"""`tenantry forget`: let go of a tenant without taking it down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.output import ask, echo, echo_text, fail
from tenantry.cli.projects import current_project, root_of

if TYPE_CHECKING:
    from tenantry.state.forget import Farewell


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(forget)


def forget(
    stack: Annotated[
        str,
        typer.Argument(help="Name of the stack.", show_default=False, autocompletion=names.stacks),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    protected: Annotated[bool, typer.Option("--protected", help="Also forget what is protected.")] = False,
) -> None:
    """Take the tenant of a stack, and everything in it, out of Pulumi's state; it stays at Qlik as it is.

    Nothing is deactivated and no request is sent to Qlik: the tenant goes on, unmanaged. Notes that earlier
    runs left of it are cleared as well. The former state is kept in a file, and the line is printed that, in
    the stack file, brings the tenant back under management.
    """
    from tenantry.state.backend import Backend, PulumiFailed
    from tenantry.state.forget import CannotForget, Farewell

    try:
        farewell = Farewell.look(Backend(root_of(current_project())), stack)
        _explain(farewell)
        if farewell.parts.protected and not protected:
            fail("Some of it is protected. To forget it all the same, add --protected.")
        if not yes and not ask("Take it out of the state?"):
            raise typer.Abort
        kept = farewell.forget()
    except (CannotForget, PulumiFailed) as error:
        fail("", error)
    echo(f"Done. The former state is in {kept}; `pulumi stack import --file` brings it back.")
    _tell_the_way_back(farewell)


def _explain(farewell: Farewell) -> None:
    parts = farewell.parts
    for tenant in parts.tenants:
        echo(f"Tenant {tenant['id']} leaves the state of stack {farewell.stack}, and stays at Qlik as it is:")
    count, guarded = len(parts.ours), len(parts.protected)
    echo(f"  {count} resources leave the state, {guarded} of them protected; no request is sent to Qlik.")
    echo("  From then on no `pulumi` run changes or deactivates it.")


def _tell_the_way_back(farewell: Farewell) -> None:
    echo_text("\nTo manage it again, add this to the customer in its stack file and run `pulumi up`:")
    for line in farewell.revival:
        echo(f"  {line}")
    echo("Without that line the next `pulumi up` of this stack makes a new tenant.")
    echo("What this client made is taken over by itself; what somebody else made needs `adopt: true`.")
    if farewell.adopted:
        echo(f"So far that is: {', '.join(farewell.adopted)}")
