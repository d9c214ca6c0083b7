"""Facts that a provider tells to programs, in lines with one form that this module writes and reads."""

from __future__ import annotations

import re

RENEW = "TENANTRY_RENEW"
"""The variable that names the proof to renew: see `tenantry.providers.tenant_proof`."""

_NOTHING_MADE = re.compile(r"^proof (?P<proof>[0-9a-f]{32}): nothing was made$", re.MULTILINE)


def nothing_made(proof: str) -> str:
    """Return the line that says: no tenant was made under this proof, and none will be."""
    return f"proof {proof}: nothing was made"


def nothing_made_in(text: str) -> str:
    """Return the proof that such a line names; nothing if there is none in the text."""
    found = _NOTHING_MADE.search(text)
    return found["proof"] if found else ""


def renewal(proof: str, stack: str) -> str:
    """Return the command that renews a proof, and that proof alone, however often it is run."""
    return f"{RENEW}={proof} pulumi up" + (f" --stack {stack}" if stack else "")
