"""`tenantry smoke`: what an end user sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.extras import needs
from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.projects import STACK, current_project, root_of, stack_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tenantry.cli.end_user import Group
    from tenantry.providers.qlik import Host

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
        typer.Option(
            "--group",
            help="Key of a group in the stack file; may be given several times.",
            autocompletion=names.groups,
        ),
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
    from tenantry.cli.end_user import Unfit, group_of
    from tenantry.providers.qlik import Cloud, QlikError
    from tenantry.settings import SettingsError, load_file
    from tenantry.state.backend import Backend, PulumiFailed

    with needs("cli"):
        from tenantry.cli.keys import KeyUnfit, read_private

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
            cloud.notify = lambda text: echo_text(text, err=True)
            well = _look(cloud.tenant(outputs["hostname"]), private, checked, patience, release=release)
    except (Unfit, KeyUnfit) as error:
        fail(str(error))
    except (SettingsError, PulumiFailed, QlikError) as error:
        fail("", error)
    if not well:
        raise typer.Exit(1)


def _look(
    tenant: Host, private: RSAPrivateKey, groups: Sequence[Group], patience: float, *, release: bool
) -> bool:
    """Check the groups one after the other, and return whether all is well."""
    from tenantry.cli import end_user

    signer = end_user.signer_for(tenant, private)
    called = [end_user.name_of(tenant, group) for group in groups]
    echo_text(
        f"Logging in to {tenant.hostname} as the test user {end_user.SUBJECT}, who is removed again.\n"
        f"{end_user.entitlements_spent(tenant)}"
    )
    well = True
    for group, name in zip(groups, called, strict=True):
        problems = end_user.check(tenant, signer, group, name, patience)
        _report(group, problems)
        well = well and not problems
    if release:
        kinds = end_user.release_entitlements(tenant)
        echo(f"Given back: {', '.join(kinds) or 'nothing, it held no entitlement'}.")
    return well


def _report(group: Group, problems: Sequence[str]) -> None:
    if not problems:
        echo(f"{group.key}: ok, sees {', '.join(group.published.values()) or 'no app'} and nothing else")
        return
    echo(f"{group.key}: FAILED")
    for problem in problems:
        echo_text("  " + problem.replace("\n", "\n    "))
