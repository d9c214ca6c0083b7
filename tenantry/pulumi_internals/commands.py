"""Undocumented behaviour of `pulumi`: its login, its exit codes, and exports during a run.

Relies on: `credentials.json` in its home has the backend's address as `current`. The exit code is 6 for a
stack that the backend does not have. `pulumi stack export` works while a run has the stack locked, and
returns the state at that moment.

Verified with: CLI 3.259.0.

When it breaks: two backends that differ only in the login count as one, a stack before its first `up` shows
as an error, and the error about a name conflict inside a stack does not name the holder.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

NO_SUCH_STACK = 6
"""The exit code of `pulumi` for a stack that the backend does not have."""


def find_pulumi() -> str | None:
    """Return the `pulumi` command beside this Python, or the first one on PATH."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return shutil.which("pulumi", path=path)


def login() -> str:
    """Return the address of the backend that `pulumi` is logged in to; empty if there is none."""
    home = Path(os.path.expanduser(os.environ.get("PULUMI_HOME") or "~/.pulumi"))
    try:
        return str(json.loads((home / "credentials.json").read_text("utf-8"))["current"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
