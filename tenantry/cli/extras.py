"""Optional libraries of commands, with advice on what to install if one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tenantry.cli.installing import how_to_install
from tenantry.cli.output import echo


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Replace an import error inside the block with a message that names the missing library and its extra.

    A missing module of Tenantry itself is a bug and stays an exception.
    """
    try:
        yield
    except ImportError as error:
        missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
        name = getattr(missing, "name", None)
        if not isinstance(missing, ModuleNotFoundError) or not name or name.partition(".")[0] == "tenantry":
            raise
        echo(f"This command needs {name}, which is not installed. {how_to_install(extra)}", err=True)
        raise typer.Exit(1) from None
