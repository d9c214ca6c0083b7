"""A command of a job: it is started, awaited, interrupted, and killed if it does not end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tenantry.fleet import process
from tenantry.fleet.process import CommandResult

IGNORES_INTERRUPT = "trap '' INT; echo ready; while :; do sleep 0.1; done"
ENDS_AFTER_INTERRUPT = "trap 'echo last words; exit 3' INT; echo ready; while :; do sleep 0.1; done"
SLEEPS = "exec sleep 600"
KILLED_BY_INT = -signal.SIGINT


def run(folder: Path, script: str, seconds: float = 600) -> tuple[CommandResult, str]:
    """Run a Bash script, and return its result and its output."""
    output = folder / "output"
    result = process.run(
        ["bash", "-c", script],
        cwd=str(folder),
        env=os.environ,
        output=output,
        errors=folder / "errors",
        seconds=seconds,
    )
    return result, output.read_text()


def time_out_when(monkeypatch: pytest.MonkeyPatch, condition: Callable[[], bool]) -> None:
    """Let commands time out when the condition is true, and not after some seconds."""
    wait = subprocess.Popen.wait

    def wait_for_condition(self: subprocess.Popen[Any], timeout: float | None = None) -> int:
        if timeout != 600:
            return wait(self, timeout)
        while self.poll() is None:
            if condition():
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(0.01)
        return wait(self)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_for_condition)


def test_a_command_may_end_by_itself(tmp_path: Path) -> None:
    assert run(tmp_path, "echo done; exit 3") == (CommandResult(3, False), "done\n")


def test_a_command_is_interrupted_after_its_timeout(tmp_path: Path) -> None:
    assert run(tmp_path, SLEEPS, 0.1) == (CommandResult(None, False), "")


def test_an_interrupted_command_may_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time_out_when(monkeypatch, lambda: (tmp_path / "output").read_text() == "ready\n")
    assert run(tmp_path, ENDS_AFTER_INTERRUPT) == (CommandResult(None, False), "ready\nlast words\n")


def test_a_command_that_does_not_finish_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SHUTDOWN_SECONDS", 0.5)
    time_out_when(monkeypatch, lambda: (tmp_path / "output").read_text() == "ready\n")
    assert run(tmp_path, f"echo $$ > pid; {IGNORES_INTERRUPT}") == (CommandResult(None, False), "ready\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_starting_command_is_interrupted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that arrives before the process exists still reaches it."""
    sent_signals = []
    send, start = subprocess.Popen.send_signal, subprocess.Popen.__init__

    def interrupt_and_start(self: subprocess.Popen[Any], *args: Any, **options: Any) -> None:
        assert process.interrupt() == 1
        start(self, *args, **options)

    def record_and_send(self: subprocess.Popen[Any], number: int) -> None:
        sent_signals.append(number)
        send(self, number)

    monkeypatch.setattr(subprocess.Popen, "__init__", interrupt_and_start)
    monkeypatch.setattr(subprocess.Popen, "send_signal", record_and_send)
    assert run(tmp_path, SLEEPS) == (CommandResult(KILLED_BY_INT, True), "")
    assert sent_signals == [signal.SIGINT]
    assert process.interrupt() == 0


def test_a_command_that_cannot_start_is_not_counted_as_running(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        process.run(
            [str(tmp_path / "nothing")],
            cwd=str(tmp_path),
            env={},
            output=tmp_path / "output",
            errors=tmp_path / "errors",
            seconds=600,
        )
    assert process.interrupt() == 0


def run_with_signal(line: int, folder: Path) -> tuple[int | None, CommandResult]:
    """Run a command, and call the signal handler before a line of the module is executed.

    `line` counts the executed lines of `process`, from 1. Returns the number of commands that the handler has
    interrupted, or None if fewer lines were executed, and the result of the command.
    """
    running, remaining_lines = None, line

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal running, remaining_lines
        if frame.f_code.co_filename != process.__file__:
            return None
        remaining_lines -= event == "line"
        if remaining_lines == 0 and running is None:
            running = process.interrupt()
        return trace

    sys.settrace(trace)
    try:
        result, _ = run(folder, "exit 0")
    finally:
        sys.settrace(None)
    return running, result


def test_a_signal_at_any_line_is_handled_without_a_deadlock(tmp_path: Path) -> None:
    """A handler runs between two lines of the interrupted code, which continues when the handler ends."""
    results: list[tuple[int, CommandResult]] = []

    def signal_at_each_line() -> None:
        for line in count(1):
            running, result = run_with_signal(line, tmp_path)
            if running is None:
                return
            results.append((running, result))

    thread = threading.Thread(
        target=signal_at_each_line, daemon=True
    )  # a hanging thread does not block pytest
    thread.start()
    thread.join(240)
    assert not thread.is_alive(), f"a signal at executed line {len(results) + 1} causes a deadlock"
    assert {running for running, _ in results} == {0, 1}
    for running, result in results:
        assert result.interrupted is bool(running)
        assert result.code in ((0, KILLED_BY_INT) if running else (0,))
