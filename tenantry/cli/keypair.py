"""`tenantry keypair`: a key pair for a portal that logs its users in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.extras import needs
from tenantry.cli.output import echo, echo_text, fail
from tenantry.settings.project import Project

PRIVATE, PUBLIC = "private.pem", "public.pem"


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(keypair)


def keypair(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the two files go; made if it is not there.")
    ],
    issuer: Annotated[
        str, typer.Option(help="Who signs: the claim `iss` that your portal puts into its tokens.")
    ] = "portal",
) -> None:
    """Make an RSA key pair, with which a portal logs its users in, and say what goes into the stack file.

    private.pem is for the portal alone, which signs its users' tokens with it; public.pem is what Qlik gets.
    Nothing is sent, and no file is ever overwritten.
    """
    with needs("cli"):
        from tenantry.cli import keys
    private, public = folder / PRIVATE, folder / PUBLIC
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kid = keys.make(private, public)
    except FileExistsError as error:
        there = error.filename or error.args[0]
        fail(f"{there} is there already and is not overwritten; name another folder.")
    except OSError as error:
        fail(f"{error.filename or folder} cannot be written: {error.strerror}")
    echo(f"{private}  for the portal that signs; nobody else reads it, and no repository holds it")
    echo(f"{public}  for Qlik, by these lines of the customer in its stack file:")
    echo_text(f"\n{stack_file_lines(issuer, kid, public)}")
    echo(f'The portal puts "kid": "{kid}" into its tokens\' header, and "iss": "{issuer}" into their claims.')


def stack_file_lines(issuer: str, kid: str, public: Path) -> str:
    """Return the block that makes the key an identity provider; its path is seen from the stack files."""
    project = Project.of(Path.cwd() / "Pulumi.yaml")
    path = os.path.relpath(public.resolve(), project.stacks) if project else str(public.resolve())
    return f"""\
    jwt_identity_providers:
      {_quoted(kid)}:
        issuer: {_quoted(issuer)}
        kid: {_quoted(kid)}
        pem_file: {_quoted(path)}
"""


def _quoted(text: str) -> str:
    """Write text so that YAML takes it for text, whatever it looks like, on one line."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else json.dumps(text)
