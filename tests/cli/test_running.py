"""Tests of the prompt before a run, the progress display, and signals."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import pytest
import typer

from tenantry.cli.live import Live
from tenantry.cli.running import INTERRUPTED, _signals, confirm, stacks_text
from tenantry.fleet.pool import Pool
from tests.fleet.samples import job


def test_a_signal_handler_does_not_print(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal can interrupt a print, and a stream does not allow a print inside another."""
    interrupts: list[int] = []

    def interrupt() -> int:
        interrupts.append(1)
        return 3

    pool, original_handler = Pool(interrupt=interrupt), signal.getsignal(signal.SIGINT)
    with Live(1, 1) as live:
        with _signals(pool, live.say_later):
            os.kill(os.getpid(), signal.SIGINT)
            assert (pool.stop, interrupts) == (f"{INTERRUPTED} by SIGINT", [])
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupts == [1]
            os.kill(os.getpid(), signal.SIGTERM)
            assert (pool.stop, interrupts) == (f"{INTERRUPTED} by SIGINT", [1, 1])
        assert capsys.readouterr().err == ""
        live.tick()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "Stopping after the running stacks. Press Ctrl-C again to interrupt them.",
        "Interrupting 3",
        "Aborting now. The next run looks for unfinished work.",
    ]
    assert signal.getsignal(signal.SIGINT) is original_handler


@pytest.mark.parametrize("value", ["1", "true", "TRUE"])
def test_the_variable_of_pulumi_skips_the_prompt(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PULUMI_SKIP_CONFIRMATIONS", value)
    confirm("up 2 stacks?", yes=False)


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_without_a_terminal_the_run_does_not_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PULUMI_SKIP_CONFIRMATIONS", value)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(typer.Exit) as exit_info:
        confirm("up 2 stacks?", yes=False)
    assert exit_info.value.exit_code == 2


def answer_prompt(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """Simulate a user at a terminal. The answer is a boolean or an exception."""

    def confirm_prompt(*_: object, **__: object) -> bool:
        if isinstance(answer, BaseException):
            raise answer
        return bool(answer)

    monkeypatch.delenv("PULUMI_SKIP_CONFIRMATIONS", raising=False)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", confirm_prompt)


def test_a_no_and_a_ctrl_c_have_different_exit_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_prompt(monkeypatch, True)
    confirm("up?", yes=False)
    for answer, code in ((False, 1), (typer.Abort(), 130)):
        answer_prompt(monkeypatch, answer)
        with pytest.raises(typer.Exit) as exit_info:
            confirm("up?", yes=False)
        assert exit_info.value.exit_code == code


def test_a_prompt_names_the_first_stacks() -> None:
    assert stacks_text([]) == "0 stacks"
    assert stacks_text(["acme"]) == "1 stack (acme)"
    assert stacks_text([f"c{n}" for n in range(30)]).endswith("c18, c19, …)")


def test_the_remaining_time_is_estimated_after_some_stacks(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with Live(40, 2) as live:
        for number in range(4):
            assert live._time_left("") == ""
            stack_job = job(f"c{number}", tmp_path)
            live.begun(stack_job)
            live.ended(stack_job, stack_job.outcome())
        assert live._time_left("").startswith("about ")
    assert "left" not in capsys.readouterr().err
