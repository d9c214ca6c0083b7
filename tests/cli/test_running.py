"""Tests of the question before a run, its display, and its signals."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import pytest
import typer

from tenantry.cli.live import Live
from tenantry.cli.running import INTERRUPTED, _signals, confirm, named
from tenantry.fleet.pool import Pool
from tests.fleet.samples import job


def test_a_signal_handler_does_not_print(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal may interrupt another print, and streams do not allow nested prints."""
    interrupted: list[int] = []

    def interrupt() -> int:
        interrupted.append(1)
        return 3

    pool, former = Pool(interrupt=interrupt), signal.getsignal(signal.SIGINT)
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
        "Stopping after the running stacks. Press Ctrl-C again to interrupt them.",
        "Interrupting 3",
        "Aborting now. The next run looks for unfinished work.",
    ]
    assert signal.getsignal(signal.SIGINT) is former


@pytest.mark.parametrize("value", ["1", "true", "TRUE"])
def test_pulumis_variable_for_yes_counts(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PULUMI_SKIP_CONFIRMATIONS", value)
    confirm("up 2 stacks?", yes=False)


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_without_a_terminal_nothing_is_run(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PULUMI_SKIP_CONFIRMATIONS", value)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(typer.Exit) as ended:
        confirm("up 2 stacks?", yes=False)
    assert ended.value.exit_code == 2


def answering(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """Simulate a terminal."""

    def asked(*_: object, **__: object) -> bool:
        if isinstance(answer, BaseException):
            raise answer
        return bool(answer)

    monkeypatch.delenv("PULUMI_SKIP_CONFIRMATIONS", raising=False)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", asked)


def test_a_no_and_a_ctrl_c_have_different_exit_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, True)
    confirm("up?", yes=False)
    for answer, code in ((False, 1), (typer.Abort(), 130)):
        answering(monkeypatch, answer)
        with pytest.raises(typer.Exit) as ended:
            confirm("up?", yes=False)
        assert ended.value.exit_code == code


def test_a_question_names_the_stacks_unless_there_are_too_many() -> None:
    assert named([]) == "0 stacks"
    assert named(["acme"]) == "1 stack (acme)"
    assert named([f"c{n}" for n in range(30)]).endswith("c18, c19, …)")


def test_few_stacks_give_no_estimate(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with Live(40, 2) as live:
        for number in range(4):
            assert live._left("") == ""
            one = job(f"c{number}", tmp_path)
            live.begun(one)
            live.ended(one, one.outcome())
        assert live._left("").startswith("about ")
    assert "left" not in capsys.readouterr().err
