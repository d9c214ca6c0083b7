"""The generated pages are what their generators make of the code today."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
GENERATORS = sorted(path.stem for path in TOOLS.glob("reference_*.py"))


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    generator = importlib.import_module(f"tools.{name}")
    message = f"{generator.PAGE.name} is not what the code says now; run: make docs"
    assert generator.PAGE.read_text("utf-8") == generator.reference(), message
