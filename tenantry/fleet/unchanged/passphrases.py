"""Checks whether the passphrase of a run fits its stacks.

The check takes half a second of CPU. So it runs for one stack, and the others of the run are assumed to have
the same passphrase. The comparison of a stack encrypts nothing with it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path

from tenantry.fleet.unchanged.doubt import must
from tenantry.pulumi_internals import passphrase

SALT = re.compile(r"^encryptionsalt: *(\S+) *$", re.MULTILINE)

_known: set[str] = set()
_checking = threading.Lock()


def check_passphrase(stack_file: Path, environment: Mapping[str, str]) -> None:
    """Raise Doubt if no passphrase is set, or if it fits no stack checked so far in this process.

    Raises OSError if the file cannot be read.
    """
    given = passphrase.from_environment(environment)
    must(given is not None, "no passphrase is set")
    with _checking:
        if given in _known:
            return
        found = SALT.search(stack_file.read_text("utf-8"))
        must(found and passphrase.matches(str(given), found[1]), "the passphrase may be wrong")
        _known.add(str(given))
