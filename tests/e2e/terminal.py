"""A command at a pseudo-terminal, which is its standard input and error. The test answers its prompts."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROMPT = b"[y/N]: "
_CONTROL = re.compile(r"\x1b\[[0-?]*[a-zA-Z]|\r")


class TerminalResult(NamedTuple):
    """The exit code of a command, the text on the terminal without colours, and the standard output."""

    code: int
    screen: str
    stdout: str


def at_terminal(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    answers: Sequence[Callable[[], str]],
    size: tuple[int, int] = (40, 120),
) -> TerminalResult:
    """Run a command and wait for its end. Call the next function of `answers` at each prompt."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    stdout_file = cwd.parent / "stdout.txt"
    with stdout_file.open("wb") as stdout:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=terminal, stderr=terminal, stdout=stdout)
    os.close(terminal)
    screen, answered_length, remaining = b"", 0, list(answers)
    while True:
        try:
            chunk = os.read(controller, 65536)
        except OSError:  # the command has ended and closed its end
            break
        screen += chunk
        if screen.endswith(PROMPT) and len(screen) > answered_length:
            answered_length = len(screen)
            assert remaining, f"one prompt too many: {_kill(process)}{screen.decode()}"
            os.write(controller, f"{remaining.pop(0)()}\n".encode())
    code = process.wait()
    os.close(controller)
    assert not remaining, f"{len(remaining)} answers had no prompt: {screen.decode()}"
    text = _CONTROL.sub("", screen.decode("utf-8", "replace"))
    return TerminalResult(code, text, stdout_file.read_text("utf-8"))


def _kill(process: subprocess.Popen[bytes]) -> str:
    """Kill a process. Return an empty string, so that a message can call this function."""
    process.kill()
    process.wait()
    return ""
