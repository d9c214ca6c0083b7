"""The `tenantry` command."""

from __future__ import annotations

import sys

from tenantry.cli.installing import how_to_install
from tenantry.errors import TenantryError
from tenantry.text import for_terminal


def main() -> None:
    """Run the command line of this process, or print what to install if a library is missing.

    An error that no command handles, such as an unusable environment variable, is printed without a
    traceback.
    """
    try:
        from tenantry.cli.app import app

        app()
    except TenantryError as error:
        sys.exit(for_terminal(str(error)))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("typer", "rich", "jinja2"):
            raise
        sys.exit(f"The tenantry command needs {error.name}, which is not installed. {how_to_install('cli')}")
