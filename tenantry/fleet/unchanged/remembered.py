"""A record of the secrets that the last `up` of a stack on this machine has put into the state.

The record is a file with a digest of ciphertexts, and without secrets. If it is missing or has another
digest, the engine decides.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from tenantry.providers.qlik import folders


def holds(root: Path, stack: str, digest: str) -> bool:
    """Tell whether the assumptions with this digest hold for a stack."""
    with suppress(OSError, ValueError):
        return _file(root, stack).read_text("utf-8") == digest
    return False


def remember(root: Path, stack: str, digest: str) -> None:
    """Store that the assumptions with this digest hold. This replaces earlier assumptions about the stack."""
    file = _file(root, stack)
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(digest, "utf-8")


def _file(root: Path, stack: str) -> Path:
    name = hashlib.sha256(f"{root.resolve()}\n{stack}".encode()).hexdigest()
    return folders.state() / "unchanged" / name
