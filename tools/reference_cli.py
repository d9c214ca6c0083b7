"""Write docs/cli.md, the command-line reference, from the commands: `make docs`."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from tenantry.cli.app import app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"


def pages() -> dict[Path, str]:
    """Return the expected content of the generated page."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="tenantry")
    text = get_docs_for_click(obj=command, ctx=context, name="tenantry", title="The tenantry command")
    return {PAGE: text.rstrip() + "\n\nThis page is generated from the commands: `make docs`.\n"}
