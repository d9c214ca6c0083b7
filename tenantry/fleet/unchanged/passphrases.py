"""Whether the passphrase of a run is that of its stacks, as the engine would find out for each.

To find out takes half a second of CPU. So it is found out for one stack, and the others of the run are taken
to have the same one: in a stack that is compared nothing is encrypted with it.
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
_looking = threading.Lock()


def check_passphrase(stack_file: Path, environment: Mapping[str, str]) -> None:
    """Raise Doubt if there is no passphrase, or no stack of this process was found that it fits.

    Raises OSError for a file that cannot be read.
    """
    given = passphrase.given(environment)
    must(given is not None, "there is no passphrase")
    with _looking:
        if given in _known:
            return
        found = SALT.search(stack_file.read_text("utf-8"))
        must(found and passphrase.fits(str(given), found[1]), "the passphrase may be another one")
        _known.add(str(given))
