"""`tenantry new`: the stack file of a new customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.projects import current_project


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, new, example="new acme --plan standard")


def new(
    stack: Annotated[
        str, typer.Argument(metavar="STACK", help="Name of the stack, for example acme.", show_default=False)
    ],
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Name of the customer. Default: derived from the name of the stack.",
            show_default=False,
        ),
    ] = "",
    plan: Annotated[
        str,
        typer.Option(
            metavar="PLAN",
            help="Plan of the customer. Default: standard, or trial with --trial-until.",
            show_default=False,
        ),
    ] = "",
    trial_until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Last day of a trial, for example 2027-01-31.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the stack file of a new customer.

    Prints the commands to run next. Sends no request.
    """
    from tenantry.starting.repository import NotWritten
    from tenantry.starting.stack_file import NewCustomer, write

    customer = NewCustomer(stack, name, plan, trial_until.date() if trial_until else None)
    try:
        file = write(current_project(), customer)
    except NotWritten as error:
        fail("", error, code=2)
    echo(f"written: {file}")
    echo_text("\nNext:")
    for command, comment in (
        (f"tenantry check {stack}", "after each edit, and before init, which rewrites the file"),
        (f"pulumi stack init {stack} --no-select", ""),
        (f"pulumi up --stack {stack}", ""),
    ):
        echo(f"  {command}{'   # ' * bool(comment)}{comment}")
