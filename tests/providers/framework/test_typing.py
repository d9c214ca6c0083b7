"""Type checkers know every property: of the constructors, and of the outputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("typed.py")


def check(program: Path) -> str:
    """What mypy says in strict mode."""
    said, failed, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--strict", str(program)])
    assert failed == ""
    return said


def test_right_use_passes_and_wrong_use_does_not() -> None:
    """Wrong types, values and names are errors in the lines that have them, and nowhere else."""
    assert "Success" in check(PROGRAM)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'Space("s", tenant="t", name="Sales", type="shared", descripton="x")',
            'did you mean "description"?',
        ),
        ("tenant.grace_days + 1", 'Unsupported operand types for + ("Output[int]" and "int")'),
    ],
)
def test_what_a_type_checker_says(tmp_path: Path, line: str, said: str) -> None:
    """It helps, as an editor would show it; and the file of right and wrong uses can fail."""
    program = tmp_path / "program.py"
    program.write_text(f"{PROGRAM.read_text()}\n{line}\n")
    assert said in check(program)
