"""`tenantry smoke`: what an end user sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.extras import needs
from cli.output import fail
from cli.projects import STACK, current_project, root_of, stack_files

if TYPE_CHECKING:
    from cli.end_user import Group, Signer
    from providers.qlik import Host

PATIENCE = 120.0


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(smoke)


def smoke(
    stack: Annotated[str, STACK],
    key: Annotated[
        Path,
        typer.Option(help="The private key (PEM) whose public half is an identity provider of the tenant."),
    ],
    groups: Annotated[
        list[str],
        typer.Option("--group", help="Key of a group in the stack file; may be given several times."),
    ],
    patience: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds that Qlik may take to open apps to a new user.")
    ] = PATIENCE,
    release: Annotated[
        bool, typer.Option("--release", help="Give back the entitlement that the test user holds at the end.")
    ] = False,
) -> None:
    """Log in as a member of each group and see whether it finds its published apps, and nothing else.

    The test user, tenantry-smoke, is made by the login and removed at the end. A login can spend an
    entitlement of the licence, so this is never part of `pulumi up`. The exit code is 1 if anything is wrong.
    """
    from cli.end_user import Unfit, entitlements_spent, group_of, name_of, release_entitlements, signer_for
    from providers.qlik import Cloud, QlikError
    from stacks import SettingsError, load_file
    from stacks.backend import Backend, PulumiFailed

    with needs("cli"):
        from cli.keys import KeyUnfit, read_private

    project = current_project()
    [file] = stack_files(project, [stack]).values()
    try:
        customer = load_file(file).customer
        outputs = Backend(root_of(project)).outputs(stack)
        if "hostname" not in outputs:
            fail(f"Stack {stack} has no tenant yet: run `pulumi up --stack {stack}` first.")
        checked = [group_of(customer, outputs, group) for group in dict.fromkeys(groups)]
        private = read_private(key)
        with Cloud.from_environment() as cloud:
            cloud.notify = lambda line: typer.echo(line, err=True)
            tenant = cloud.tenant(outputs["hostname"])
            signer = signer_for(tenant, private)
            names = [name_of(tenant, group) for group in checked]
            typer.echo(
                f"Logging in to {tenant.hostname} as the test user tenantry-smoke, who is removed again."
            )
            typer.echo(entitlements_spent(tenant))
            found = [_report(tenant, signer, *each, patience) for each in zip(checked, names, strict=True)]
            if release:
                kinds = release_entitlements(tenant)
                typer.echo(f"Given back: {', '.join(kinds) or 'nothing, it held no entitlement'}.")
    except (SettingsError, PulumiFailed, Unfit, KeyUnfit, QlikError) as error:
        fail(str(error))
    if any(found):
        raise typer.Exit(1)


def _report(tenant: Host, signer: Signer, group: Group, name: str, patience: float) -> list[str]:
    """Check one group, print what came of it, and return what is wrong."""
    from cli.end_user import check

    problems = check(tenant, signer, group, name, patience)
    if problems:
        typer.echo(f"{group.key}: FAILED")
    else:
        typer.echo(
            f"{group.key}: ok, sees {', '.join(group.published.values()) or 'no app'} and nothing else"
        )
    for problem in problems:
        typer.echo("  " + problem.replace("\n", "\n    "))
    return problems
