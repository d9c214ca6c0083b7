"""The text of untrusted files."""

from __future__ import annotations

from pathlib import Path

from tenantry.providers.values.plain_files import read_bytes

STACK_FILE_BYTES = 1_000_000
KEY_BYTES = 64_000


def read_text(path: Path, most: int, errors: str = "strict") -> str:
    """Return the text of a plain file of at most `most` bytes. Links are followed.

    Raises OSError as `read_bytes` does, and UnicodeDecodeError if `errors` is "strict" and the file is not
    UTF-8.
    """
    return read_bytes(path, most).decode("utf-8", errors)
