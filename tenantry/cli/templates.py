"""`tenantry templates`: the template apps that customers can get."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo_text, fail, print_json, print_table
from tenantry.cli.projects import current_project


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, templates, example="templates --source-tenant templates.eu.qlikcloud.com")


def templates(
    source_tenant: Annotated[
        str,
        typer.Option(
            metavar="HOSTNAME",
            help="Hostname of the source tenant. Default: qlik:source_tenant in Pulumi.yaml.",
            show_default=False,
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the templates as JSON.")] = False,
) -> None:
    """List the template apps of the source tenant.

    Shows the apps that stack files and plans can name, with their versions. Leaves out published copies,
    because they cannot be templates. Sends only reads.
    """
    from tenantry.providers.lookups.templates import offers
    from tenantry.providers.qlik import Cloud, QlikError
    from tenantry.settings.sources import SOURCE_TENANT

    hostname = source_tenant or str(current_project().config.get(SOURCE_TENANT) or "")
    if not hostname:
        fail("Pulumi.yaml has no qlik:source_tenant. Name the source tenant with --source-tenant.", code=2)
    with Cloud.from_environment() as cloud:
        try:
            offered = offers(cloud.tenant(hostname))
        except QlikError as error:
            fail(f"The apps of {hostname} cannot be listed", error)
    if as_json:
        print_json([template._asdict() for template in offered])
        return
    rows = [
        (template.name, template.version or "none", template.space or "personal", template.app_id)
        for template in offered
    ]
    print_table(("template", "version", "space", "template_id"), rows)
    if any(not template.version for template in offered):
        echo_text("\nAn app without a version cannot be a template. End its description with {v1.0.0}.")
