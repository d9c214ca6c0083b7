"""What `pulumi` says of a locked stack: the only way to its locks in a backend that is no folder.

Relies on: a command that wants the lock fails with "currently locked" and, for each lock, with "created by
<user>@<host> (pid <number>) at <time>". `pulumi stack rename` of a stack to the name that it has wants the
lock, changes nothing, and fails with "already exists" where there is none.

Seen to hold: CLI 3.259.0.

When it breaks: `tenantry unlock` says that nothing was told of the locks, and clears none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LOCKED = "currently locked"
TAKEN = "already exists"
_CREATED = re.compile(
    r"created by (?P<user>.{1,200})@(?P<host>[^\s@]{1,255}) \(pid (?P<pid>\d{1,10})\) at (?P<at>\S+)"
)


def asking(stack: str) -> tuple[str, ...]:
    """Return the arguments of the command that fails with the locks of a stack."""
    return ("stack", "rename", stack, "--stack", stack)


def told(said: str) -> Iterator[tuple[str, str, int, str]]:
    """Yield user, host, process id and time of each lock that an error names."""
    for each in _CREATED.finditer(said):
        yield each["user"], each["host"], int(each["pid"]), each["at"]
