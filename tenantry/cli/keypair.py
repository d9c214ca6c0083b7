"""`tenantry keypair`: a key pair for a portal that logs users in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.extras import needs
from tenantry.cli.output import echo, echo_text, fail
from tenantry.settings.project import Project

PRIVATE, PUBLIC = "private.pem", "public.pem"


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, keypair, example="keypair keys/acme --issuer portal")


def keypair(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder for the two files. Created if it does not exist.")
    ],
    issuer: Annotated[
        str, typer.Option(metavar="ISSUER", help="The claim `iss` that your portal puts into its tokens.")
    ] = "portal",
) -> None:
    """Create a key pair with which a portal logs users in.

    The keys are RSA keys. Prints the lines for the stack file. The portal signs its users' tokens with
    private.pem, and only the portal may have it. Qlik receives public.pem. Sends no request and overwrites no
    file.
    """
    with needs("cli"):
        from tenantry.cli import keys
    private, public = folder / PRIVATE, folder / PUBLIC
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kid = keys.create_pair(private, public)
    except FileExistsError as error:
        existing = error.filename or error.args[0]
        fail(f"{existing} already exists, and is not overwritten. Choose another folder.")
    except OSError as error:
        fail(f"{error.filename or folder} cannot be written: {error.strerror}")
    echo(f"{private}  for the portal. Keep it secret: give it to nobody else, and do not commit it")
    echo(f"{public}  for Qlik. Add these lines below `tenantry:customer:` in the stack file:")
    echo_text(f"\n{stack_file_lines(issuer, kid, public)}")
    echo(
        f'Your portal must put "kid": "{kid}" into the header of its tokens, and "iss": "{issuer}" into '
        "their claims."
    )


def stack_file_lines(issuer: str, kid: str, public: Path) -> str:
    """Return the YAML block of the identity provider.

    Its path is relative to the folder of the stack files.
    """
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
    """Return text as a quoted YAML string on one line."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else json.dumps(text)
