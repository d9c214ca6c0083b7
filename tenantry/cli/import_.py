"""`tenantry import`: a living tenant becomes a stack."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli import names
from tenantry.cli.output import echo, echo_text, fail, print_table
from tenantry.cli.projects import root_of, running_project


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("import")(import_)


def import_(
    hostname: Annotated[
        str, typer.Argument(help="Hostname of the tenant, its alias or the system's.", show_default=False)
    ],
    stack: Annotated[
        str | None, typer.Option(help="Name of the stack to make. Default: the tenant's alias.")
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            help="Plan of the customer; the file then says only what differs from it.",
            autocompletion=names.plans,
        ),
    ] = None,
    source_tenant: Annotated[
        str | None,
        typer.Option(help="Hostname of the tenant with the templates. Default: that of the other stacks."),
    ] = None,
) -> None:
    """Make a stack file and a state of a tenant that lives already, so that the next up has nothing to do.

    Nothing is changed in the tenant. What the stack does not manage is listed at the end. If anything is in
    the way, there is neither a file nor a state.
    """
    from tenantry.importing import ImportRefused, Wanted, import_tenant
    from tenantry.providers.qlik import Cloud, QlikError
    from tenantry.state.backend import Backend, PulumiFailed

    def say(text: str) -> None:
        echo_text(text, err=True)

    project = running_project()
    wanted = Wanted(hostname, stack, plan, source_tenant)
    with Cloud.from_environment() as cloud:
        cloud.notify = say
        try:
            made = import_tenant(cloud, project, Backend(root_of(project)), wanted, say)
        except (ImportRefused, QlikError, PulumiFailed) as error:
            fail(f"{hostname} was not imported", error)
    echo(f"{hostname} is stack {made.stack} now: {made.file}")
    print_table(("kind", "managed"), [(kind, str(number)) for kind, number in made.counts.items()])
    if made.unmanaged:
        echo_text("\nNot managed by the stack, and left as it is:")
    for line in made.unmanaged:
        echo(f"  - {line}")
