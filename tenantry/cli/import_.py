"""`tenantry import`: a stack for an existing tenant."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli import names
from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text, fail, print_table
from tenantry.cli.projects import root_of, running_project


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, import_, "import", example="import acme.eu.qlikcloud.com --plan standard")


def import_(
    hostname: Annotated[
        str,
        typer.Argument(
            metavar="HOSTNAME",
            help="Hostname of the tenant: with its alias, or with the name that Qlik gave it.",
            show_default=False,
        ),
    ],
    stack: Annotated[
        str | None,
        typer.Option(metavar="STACK", help="Name of the new stack. Default: the alias of the tenant."),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="PLAN",
            help="Plan of the customer. The stack file then has only what differs from the plan.",
            autocompletion=names.plans,
        ),
    ] = None,
    source_tenant: Annotated[
        str | None,
        typer.Option(
            metavar="HOSTNAME", help="Tenant with the template apps. Default: the one of the other stacks."
        ),
    ] = None,
) -> None:
    """Bring an existing tenant under management.

    Writes a new stack file and a state, so that the next `up` changes nothing. Changes nothing in the tenant.
    Lists what the stack does not manage. If the import fails, it leaves neither a file nor a state.
    """
    from tenantry.importing import ImportRefused, ImportRequest, import_tenant
    from tenantry.providers.qlik import Cloud, QlikError
    from tenantry.state.backend import Backend, PulumiFailed

    def say(text: str) -> None:
        echo_text(text, err=True)

    project = running_project()
    request = ImportRequest(hostname, stack, plan, source_tenant)
    with Cloud.from_environment() as cloud:
        cloud.notify = say
        try:
            imported = import_tenant(cloud, project, Backend(root_of(project)), request, say)
        except (ImportRefused, QlikError, PulumiFailed) as error:
            fail(f"{hostname} was not imported", error)
    echo(f"{hostname} is now stack {imported.stack}: {imported.file}")
    print_table(("kind", "managed"), [(kind, str(number)) for kind, number in imported.counts.items()])
    if imported.unmanaged:
        echo_text("\nThe stack does not manage, and leaves unchanged:")
    for line in imported.unmanaged:
        echo(f"  - {line}")
