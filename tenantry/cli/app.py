"""The command line as a whole: every command group, in the order in which `tenantry --help` lists them."""

from __future__ import annotations

import typer

from tenantry.cli import (
    check,
    comment,
    demo,
    diff,
    doctor,
    emulator,
    expire,
    forget,
    import_,
    init,
    install_pulumi,
    keypair,
    new,
    orphans,
    plans,
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

app = typer.Typer(
    name="tenantry",
    help="One Qlik Cloud tenant per customer, as code.",
    no_args_is_help=True,
    add_completion=False,
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
    expire,
    report,
    comment,
    import_,
    forget,
    orphans,
    unlock,
    keypair,
    smoke,
    emulator,
    version,
)
for group in groups:
    group.add_to(app)
