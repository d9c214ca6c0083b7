"""A command at a pseudo-terminal, which is its standard input and error; the test answers its prompts."""

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

QUESTION = b"[y/N]: "
_CONTROL = re.compile(r"\x1b\[[0-?]*[a-zA-Z]|\r")


class Ended(NamedTuple):
    """The exit code, the text on the terminal without colours, and the standard output."""

    code: int
    seen: str
    stdout: str


def at_terminal(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    answers: Sequence[Callable[[], str]],
    size: tuple[int, int] = (40, 120),
) -> Ended:
    """Run a command and wait for its end; create each answer when its prompt appears."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    printed = cwd.parent / "stdout.txt"
    with printed.open("wb") as stdout:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=theirs, stderr=theirs, stdout=stdout)
    os.close(theirs)
    seen, answered, waiting = b"", 0, list(answers)
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        seen += read
        if seen.endswith(QUESTION) and len(seen) > answered:
            answered = len(seen)
            assert waiting, f"one prompt too many: {_end(process)}{seen.decode()}"
            os.write(ours, f"{waiting.pop(0)()}\n".encode())
    code = process.wait()
    os.close(ours)
    assert not waiting, f"{len(waiting)} answers had no prompt: {seen.decode()}"
    text = _CONTROL.sub("", seen.decode("utf-8", "replace"))
    return Ended(code, text, printed.read_text("utf-8"))


def _end(process: subprocess.Popen[bytes]) -> str:
    process.kill()
    process.wait()
    return ""
