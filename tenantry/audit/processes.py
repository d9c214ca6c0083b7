"""The process that took a lock, and whether it still runs on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
ENDED = ("Z", "X")
"""The states of a process that has ended, and whose parent has not waited for it yet."""


def may_be_pulumi(pid: int) -> bool:
    """Tell whether a process with this id is alive and may be `pulumi`.

    The process can also be in a container on this machine. If it is unknown, the result is True: for a hidden
    process of another user, and for any process if there is no /proc.
    """
    return pid > 0 and (_may_be_pulumi(pid) or any(map(_may_be_pulumi, _in_containers(pid))))


def _may_be_pulumi(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it belongs to another user
    if _state(pid) in ENDED:
        return False
    names = list(_names(pid))
    return not names or any("pulumi" in name for name in names)


def _in_containers(pid: int) -> Iterator[int]:
    """Yield the processes that have this id in a container. A container may share this machine's hostname."""
    for status in PROC.glob("[0-9]*/status"):
        with suppress(OSError):
            found = re.search(r"^NSpid:[ \t]+(\d+)[ \t].*\b(\d+)$", status.read_text(), re.MULTILINE)
            if found and int(found[2]) == pid:
                yield int(found[1])


def _state(pid: int) -> str:
    """Return the letter of the state of a process, or an empty string if it cannot be read."""
    with suppress(OSError, IndexError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _names(pid: int) -> Iterator[str]:
    """Yield the names of a process: its program, and the first word of its command line."""
    folder = PROC / str(pid)
    with suppress(OSError):
        yield (folder / "comm").read_text().strip()
    with suppress(OSError):
        words = (folder / "cmdline").read_bytes().split(b"\0")
        yield os.fsdecode(os.path.basename(words[0]))
    with suppress(OSError):
        yield os.path.basename(os.readlink(folder / "exe"))
