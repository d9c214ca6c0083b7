"""`tenantry forget`: removal of a tenant from the state, without deactivating it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.commands import add_command
from tenantry.cli.output import ask, echo, echo_text, fail
from tenantry.cli.projects import current_project, root_of

if TYPE_CHECKING:
    from tenantry.state.forget import ForgetReport


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, forget, example="forget acme")


def forget(
    stack: Annotated[
        str,
        typer.Argument(
            metavar="STACK", help="Name of the stack.", show_default=False, autocompletion=names.stacks
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    protected: Annotated[bool, typer.Option("--protected", help="Also forget protected resources.")] = False,
) -> None:
    """Stop managing a tenant without changing it at Qlik.

    Removes the tenant from Pulumi's state. Sends no request to Qlik: the tenant stays active, but Tenantry no
    longer manages it. Also removes the notes of earlier runs. Saves the former state in a file, and prints
    the line for the stack file that brings the tenant back under management.
    """
    from tenantry.state.backend import Backend, PulumiFailed
    from tenantry.state.forget import CannotForget, ForgetReport

    try:
        report = ForgetReport.look(Backend(root_of(current_project())), stack)
        _explain(report)
        if report.parts.protected and not protected:
            fail("Some resources are protected. To forget them too, add --protected.")
        if not yes and not ask("Remove it from the state?"):
            raise typer.Abort
        backup = report.forget()
    except (CannotForget, PulumiFailed) as error:
        fail("", error)
    echo(f"Done. The former state is in {backup}; `pulumi stack import --file` brings it back.")
    _print_way_back(report)


def _explain(report: ForgetReport) -> None:
    parts = report.parts
    for tenant in parts.tenants:
        echo(f"Tenant {tenant['id']} leaves the state of stack {report.stack} and stays unchanged at Qlik:")
    count, protected = len(parts.ours), len(parts.protected)
    echo(f"  {count} resources leave the state, {protected} of them protected. Qlik receives no request.")
    echo("  After that, no `pulumi` run changes or deactivates the tenant.")


def _print_way_back(report: ForgetReport) -> None:
    echo_text("\nTo manage it again, add this to the customer in its stack file and run `pulumi up`:")
    for line in report.revive_lines:
        echo(f"  {line}")
    echo("Without that line, the next `pulumi up` of this stack creates a new tenant.")
    echo("Objects that this client created are adopted automatically. Other objects need `adopt: true`.")
    if report.adopted:
        echo(f"Objects that need it: {', '.join(report.adopted)}")
