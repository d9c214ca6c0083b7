"""Commands whose libraries are optional say how to install them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

OWN = ("cli", "components", "emulator", "fleet", "providers", "stacks")


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing library inside into a message that names the extra with it.

    A missing module of the project itself is a fault of ours and stays an exception.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in OWN:
            raise
        typer.echo(
            f"This command needs {error.name}, which is not installed. "
            f'Install it with: pip install "tenantry[{extra}]"',
            err=True,
        )
        raise typer.Exit(1) from None
