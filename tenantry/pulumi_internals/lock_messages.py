"""The errors of `pulumi` about a locked stack: the only way to read locks if the backend is not a folder.

Relies on: a command that needs the lock fails with "currently locked" and, for each lock, with "created by
<user>@<host> (pid <number>) at <time>". `pulumi stack rename` of a stack to its present name needs the lock,
changes nothing, and fails with "already exists" if there is no lock.

Verified with: CLI 3.259.0.

When it breaks: `tenantry unlock` says that it cannot read the locks, and clears none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LOCKED = "currently locked"
TAKEN = "already exists"
_CREATED = re.compile(
    r"created by (?P<user>.{1,200})@(?P<host>[^\s@]{1,255}) \(pid (?P<pid>\d{1,10})\) at (?P<at>\S+)"
)


def lock_command(stack: str) -> tuple[str, ...]:
    """Return the arguments of the command that fails with the locks of a stack."""
    return ("stack", "rename", stack, "--stack", stack)


def locks_in(output: str) -> Iterator[tuple[str, str, int, str]]:
    """Yield user, host, process id and time of each lock in an error."""
    for found in _CREATED.finditer(output):
        yield found["user"], found["host"], int(found["pid"]), found["at"]
