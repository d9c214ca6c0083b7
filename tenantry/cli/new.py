"""`tenantry new`: the stack file of a new customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.projects import current_project


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(new)


def new(
    stack: Annotated[str, typer.Argument(help="Name of the stack, for example acme.", show_default=False)],
    name: Annotated[
        str, typer.Option(help="Name of the customer. Default: made of the stack's.", show_default=False)
    ] = "",
    plan: Annotated[
        str,
        typer.Option(
            help="Plan of the customer. Default: standard, or trial for a trial.", show_default=False
        ),
    ] = "",
    trial_until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="The last day of a trial.", show_default=False
        ),
    ] = None,
) -> None:
    """Write the stack file of a new customer, and say what to run next. Sends no request."""
    from tenantry.starting.repository import NotWritten
    from tenantry.starting.stack_file import NewCustomer, write

    customer = NewCustomer(stack, name, plan, trial_until.date() if trial_until else None)
    try:
        file = write(current_project(), customer)
    except NotWritten as error:
        fail("", error, code=2)
    echo(f"written: {file}")
    echo_text("\nNext:")
    for command, why in (
        (f"tenantry check {stack}", "after each change by hand, and before init, which writes the file anew"),
        (f"pulumi stack init {stack} --no-select", ""),
        (f"pulumi up --stack {stack}", ""),
    ):
        echo(f"  {command}{'   # ' * bool(why)}{why}")
