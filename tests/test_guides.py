"""The table of the steps of Qlik's guides names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "steps.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)((?:::\w+)*)`", PAGE)


def names_in(file: Path) -> set[str]:
    """The functions and classes of a module, and the methods of its classes as `::Class::method`."""
    found = set()
    for each in ast.parse(file.read_text("utf-8")).body:
        if isinstance(each, ast.ClassDef | ast.FunctionDef):
            found.add(f"::{each.name}")
        if isinstance(each, ast.ClassDef):
            found |= {
                f"::{each.name}::{inner.name}" for inner in each.body if isinstance(inner, ast.FunctionDef)
            }
    return found


def test_each_test_that_shows_a_step_is_there() -> None:
    missing = [
        f"{file}{name}"
        for file, name in NAMED
        if not (ROOT / file).is_file() or (name and name not in names_in(ROOT / file))
    ]
    assert len(NAMED) > 15
    assert missing == []
