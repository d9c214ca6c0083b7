"""The command line as a whole: every command group, in the order in which `tenantry --help` lists them."""

from __future__ import annotations

import typer

from cli import check, emulator, forget, import_, keypair, settings, smoke, version

app = typer.Typer(
    name="tenantry",
    help="One Qlik Cloud tenant per customer, as code.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (settings, check, import_, forget, keypair, smoke, emulator, version):
    group.add_to(app)
