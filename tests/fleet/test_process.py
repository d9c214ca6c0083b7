"""One command of many: started, waited for, interrupted, killed if need be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleet import process
from fleet.process import Ended

DEAF = "trap '' INT; echo ready; while :; do sleep 0.1; done"
POLITE = "trap 'echo last words; exit 3' INT; echo ready; while :; do sleep 0.1; done"


def run(folder: Path, script: str, seconds: float) -> tuple[Ended, str]:
    output = folder / "output"
    ended = process.run(
        ["bash", "-c", script],
        cwd=str(folder),
        env=os.environ,
        output=output,
        errors=folder / "errors",
        seconds=seconds,
    )
    return ended, output.read_text()


def test_one_that_ends_by_itself(tmp_path: Path) -> None:
    assert run(tmp_path, "echo done; exit 3", 60) == (Ended(3, False), "done\n")


def test_one_whose_time_is_up_may_come_to_its_end(tmp_path: Path) -> None:
    assert run(tmp_path, POLITE, 0.5) == (Ended(None, False), "ready\nlast words\n")


def test_one_that_does_not_come_to_its_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LAST_WORDS", 0.5)
    assert run(tmp_path, f"echo $$ > pid; {DEAF}", 0.5) == (Ended(None, False), "ready\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
