"""The check that the passphrase of a run fits its stacks.

The check takes half a second of CPU. So it runs for one stack only, and the other stacks of the run are
assumed to have the same passphrase. A comparison encrypts nothing with the passphrase.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path

from tenantry.fleet.unchanged.doubt import require
from tenantry.pulumi_internals import passphrase

SALT = re.compile(r"^encryptionsalt: *(\S+) *$", re.MULTILINE)

_accepted: set[str] = set()
_lock = threading.Lock()


def check_passphrase(stack_file: Path, environment: Mapping[str, str]) -> None:
    """Raise Doubt if no passphrase is set, or if it fits no stack checked so far in this process.

    Raises OSError if the file cannot be read.
    """
    secret = passphrase.from_environment(environment)
    require(secret is not None, "no passphrase is set")
    with _lock:
        if secret in _accepted:
            return
        found = SALT.search(stack_file.read_text("utf-8"))
        require(found and passphrase.matches(str(secret), found[1]), "the passphrase may be wrong")
        _accepted.add(str(secret))
