"""One command of many: start, wait, interrupt, and kill if needed."""

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

DEAF = "trap '' INT; echo ready; while :; do sleep 0.1; done"
POLITE = "trap 'echo last words; exit 3' INT; echo ready; while :; do sleep 0.1; done"
HELPLESS = "exec sleep 600"
KILLED_BY_INT = -signal.SIGINT


def run(folder: Path, script: str, seconds: float = 600) -> tuple[CommandResult, str]:
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


def time_is_up_when(monkeypatch: pytest.MonkeyPatch, true: Callable[[], bool]) -> None:
    """End the time of a command by an event and not by the clock."""
    wait = subprocess.Popen.wait

    def waited(self: subprocess.Popen[Any], timeout: float | None = None) -> int:
        if timeout != 600:
            return wait(self, timeout)
        while self.poll() is None:
            if true():
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(0.01)
        return wait(self)

    monkeypatch.setattr(subprocess.Popen, "wait", waited)


def test_a_command_that_ends_by_itself(tmp_path: Path) -> None:
    assert run(tmp_path, "echo done; exit 3") == (CommandResult(3, False), "done\n")


def test_a_command_whose_time_is_up_is_interrupted(tmp_path: Path) -> None:
    assert run(tmp_path, HELPLESS, 0.1) == (CommandResult(None, False), "")


def test_an_interrupted_command_may_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time_is_up_when(monkeypatch, lambda: (tmp_path / "output").read_text() == "ready\n")
    assert run(tmp_path, POLITE) == (CommandResult(None, False), "ready\nlast words\n")


def test_a_command_that_does_not_finish_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SHUTDOWN_SECONDS", 0.5)
    time_is_up_when(monkeypatch, lambda: (tmp_path / "output").read_text() == "ready\n")
    assert run(tmp_path, f"echo $$ > pid; {DEAF}") == (CommandResult(None, False), "ready\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_starting_command_is_interrupted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal before the process exists still reaches it."""
    sent = []
    send, start = subprocess.Popen.send_signal, subprocess.Popen.__init__

    def started(self: subprocess.Popen[Any], *args: Any, **more: Any) -> None:
        assert process.interrupt() == 1
        start(self, *args, **more)

    def signalled(self: subprocess.Popen[Any], number: int) -> None:
        sent.append(number)
        send(self, number)

    monkeypatch.setattr(subprocess.Popen, "__init__", started)
    monkeypatch.setattr(subprocess.Popen, "send_signal", signalled)
    assert run(tmp_path, HELPLESS) == (CommandResult(KILLED_BY_INT, True), "")
    assert sent == [signal.SIGINT]
    assert process.interrupt() == 0


def test_a_command_that_cannot_start_is_not_waited_for(tmp_path: Path) -> None:
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


def with_a_signal_at(line: int, folder: Path) -> tuple[int | None, CommandResult]:
    """Run a command, and have a handler run before the given of all lines that are run for that.

    Returns how many commands the handler found, None if there are fewer lines, and how the command ended.
    """
    running, left = None, line

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal running, left
        if frame.f_code.co_filename != process.__file__:
            return None
        left -= event == "line"
        if left == 0 and running is None:
            running = process.interrupt()
        return trace

    sys.settrace(trace)
    try:
        ended, _ = run(folder, "exit 0")
    finally:
        sys.settrace(None)
    return running, ended


def test_a_signal_at_any_line_is_handled_without_a_deadlock(tmp_path: Path) -> None:
    """A handler runs between two lines of the interrupted code, which continues when the handler ends."""
    found: list[tuple[int, CommandResult]] = []

    def all_lines() -> None:
        for line in count(1):
            running, ended = with_a_signal_at(line, tmp_path)
            if running is None:
                return
            found.append((running, ended))

    thread = threading.Thread(target=all_lines, daemon=True)  # which is left behind if it hangs
    thread.start()
    thread.join(240)
    assert not thread.is_alive(), f"it hangs when a signal comes at line {len(found) + 1}"
    assert {running for running, _ in found} == {0, 1}
    for running, ended in found:
        assert ended.interrupted is bool(running)
        assert ended.code in ((0, KILLED_BY_INT) if running else (0,))
