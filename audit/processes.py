"""Whether the process that took a lock is still there, on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
ENDED = ("Z", "X")
"""States of a process that has ended and that its parent has not asked about yet."""


def may_be_pulumi(pid: int) -> bool:
    """Tell whether a process of that id is alive and is `pulumi`, or may be.

    What cannot be known counts as yes: another user's process that hides, and any where there is no /proc.
    """
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    if _state(pid) in ENDED:
        return False
    names = list(_names(pid))
    return not names or any("pulumi" in name for name in names)


def _state(pid: int) -> str:
    """Return the letter of a process's state, nothing where there is none."""
    with suppress(OSError, IndexError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _names(pid: int) -> Iterator[str]:
    """Yield what a process is called: its program, and the first word of its command line."""
    folder = PROC / str(pid)
    with suppress(OSError):
        yield (folder / "comm").read_text().strip()
    with suppress(OSError):
        words = (folder / "cmdline").read_bytes().split(b"\0")
        yield os.fsdecode(os.path.basename(words[0]))
    with suppress(OSError):
        yield os.path.basename(os.readlink(folder / "exe"))
