"""Write docs/cli.md, the reference of the command line, from the commands themselves: `make docs`."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from cli.app import app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"


def reference() -> str:
    """The page as it should be."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="tenantry")
    text = get_docs_for_click(obj=command, ctx=context, name="tenantry", title="The tenantry command")
    return text.rstrip() + "\n\nThis page is generated from the commands: `make docs`.\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(reference(), "utf-8")
