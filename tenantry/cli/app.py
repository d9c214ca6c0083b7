"""The whole command line, with the commands in the order of `tenantry --help`."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.cli import (
    check,
    comment,
    demo,
    diff,
    doctor,
    emulator,
    expire,
    export_content,
    forget,
    import_,
    init,
    install_pulumi,
    keypair,
    new,
    operator_manifests,
    orphans,
    past_runs,
    plans,
    rename,
    report,
    runs,
    schema,
    settings,
    smoke,
    status,
    templates,
    unlock,
    version,
)
from tenantry.cli.commands import ReadableGroup
from tenantry.cli.version import print_version

app = typer.Typer(
    name="tenantry",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
groups = (
    demo,
    init,
    install_pulumi,
    doctor,
    new,
    plans,
    templates,
    schema,
    settings,
    check,
    diff,
    runs,
    status,
    export_content,
    expire,
    past_runs,
    report,
    comment,
    operator_manifests,
    import_,
    rename,
    forget,
    orphans,
    unlock,
    keypair,
    smoke,
    emulator,
    version,
)


@app.callback(cls=ReadableGroup)
def global_options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the versions and exit."),
    ] = False,
) -> None:
    """One Qlik Cloud tenant per customer, as code."""


for group in groups:
    group.add_to(app)
