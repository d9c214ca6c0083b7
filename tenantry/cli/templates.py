"""`tenantry templates`: the apps that customers can get."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli.output import echo_text, fail, print_json, print_table
from tenantry.cli.projects import current_project


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(templates)


def templates(
    source_tenant: Annotated[
        str, typer.Option(help="Hostname of the source tenant. Default: the project's.", show_default=False)
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the apps of the source tenant that stack files and plans can name, with their versions.

    Published copies are left out: they are no templates. Only reads.
    """
    from tenantry.providers.lookups.templates import offers
    from tenantry.providers.qlik import Cloud, QlikError
    from tenantry.settings.sources import SOURCE_TENANT

    hostname = source_tenant or str(current_project().config.get(SOURCE_TENANT) or "")
    if not hostname:
        fail("Pulumi.yaml has no qlik:source_tenant. Name the source tenant with --source-tenant.", code=2)
    with Cloud.from_environment() as cloud:
        try:
            found = offers(cloud.tenant(hostname))
        except QlikError as error:
            fail(f"The apps of {hostname} cannot be listed", error)
    if as_json:
        print_json([each._asdict() for each in found])
        return
    rows = [(each.name, each.version or "none", each.space or "personal", each.app_id) for each in found]
    print_table(("template", "version", "space", "template_id"), rows)
    if any(not each.version for each in found):
        echo_text("\nWithout a version an app cannot be a template: end its description with {v1.0.0}.")
