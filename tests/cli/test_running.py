"""Signals during a run over many stacks."""

from __future__ import annotations

import os
import signal

import pytest

from cli.live import Live
from cli.running import INTERRUPTED, _signals
from fleet import process
from fleet.pool import Pool


def test_a_signal_prints_nothing_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may come in the middle of another print, and streams bear no second one inside the first."""
    interrupted: list[int] = []

    def interrupt() -> int:
        interrupted.append(1)
        return 3

    monkeypatch.setattr(process, "interrupt", interrupt)
    pool, former = Pool(), signal.getsignal(signal.SIGINT)
    with Live(1, 1) as live:
        with _signals(pool, live.say_later):
            os.kill(os.getpid(), signal.SIGINT)
            assert (pool.stop, interrupted) == (f"{INTERRUPTED} by SIGINT", [])
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupted == [1]
            os.kill(os.getpid(), signal.SIGTERM)
            assert (pool.stop, interrupted) == (f"{INTERRUPTED} by SIGINT", [1, 1])
        assert capsys.readouterr().err == ""
        live.tick()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "Stopping",
        "Interrupting 3",
        "Dropping everything. What was begun is looked for by the next run.",
    ]
    assert signal.getsignal(signal.SIGINT) is former
