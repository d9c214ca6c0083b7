"""Type checkers know every property of the constructors and of the outputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("typed.py")


def check(program: Path) -> str:
    """Run mypy in strict mode and return its output."""
    output, errors, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--strict", str(program)])
    assert errors == ""
    return output


def test_mypy_accepts_correct_lines_and_refuses_wrong_ones() -> None:
    """In `typed.py`, exactly the lines with wrong types, values or names expect an error."""
    assert "Success" in check(PROGRAM)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'Space("s", tenant="t", name="Sales", type="shared", descripton="x")',
            'did you mean "description"?',
        ),
        ("tenant.grace_days + 1", 'Unsupported operand types for + ("Output[int]" and "int")'),
    ],
)
def test_mypy_explains_a_mistake(tmp_path: Path, line: str, message: str) -> None:
    """This also proves that an unexpected mistake in `typed.py` fails the test above."""
    program = tmp_path / "program.py"
    program.write_text(f"{PROGRAM.read_text()}\n{line}\n")
    assert message in check(program)
