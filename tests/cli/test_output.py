"""Tests that commands print only through `tenantry.cli.output`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tenantry.cli

FOLDER = Path(tenantry.cli.__file__).parent
MODULES = sorted(file for file in FOLDER.glob("**/*.py") if file.name != "output.py")
PRINTING_NAMES = {"echo", "secho", "confirm", "prompt", "style"}
"""The functions of Typer and Click that print, or format text for printing."""


def direct_prints(source: str) -> Iterator[str]:
    """Yield the places in a module that print without `output`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="typer" | "click"), attr=name) if name in PRINTING_NAMES:
                yield f"{node.lineno}: {name}"
            case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr") as stream:
                yield f"{stream.lineno}: sys.{stream.attr}"
            case ast.Call(func=ast.Name(id="print")):
                yield f"{node.lineno}: print"
            case ast.ImportFrom(module="typer" | "click" | "rich" | "rich.text" | "rich.console"):
                for name in {alias.name for alias in node.names} & {*PRINTING_NAMES, "Text", "print"}:
                    yield f"{node.lineno}: import of {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_commands_print_only_through_output(module: Path) -> None:
    source = module.read_text("utf-8")
    terminal_checks = r"sys\.\w+\.isatty\(\)|is_terminal\(sys\.\w+\)"
    assert list(direct_prints(re.sub(terminal_checks, "True", source))) == []


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "typer.echo(1)",
        "import click\nclick.secho(1)",
        "sys.stdout.write('x')",
        "from typer import echo",
        "from rich.text import Text",
        "json.dump(1, sys.stderr)",
        "shown = typer.echo",
    ],
)
def test_a_direct_print_is_detected(source: str) -> None:
    assert list(direct_prints(source))
