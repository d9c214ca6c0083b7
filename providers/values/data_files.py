"""Local files for the data files of a space. They are read in chunks, because they can be large.

Source: https://qlik.dev/apis/rest/data-files. Its sample allows 500 MB for a file in a form, and 6 GB for a
file in temporary content. Tenantry allows less, because each run reads these files to hash them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values.limits import Limits
from tenantry.providers.values.plain_files import open_plain, too_large

MAX_BYTES = 100_000_000
CHUNK = 1 << 20

SHA256 = Limits("64 hexadecimal digits", {"pattern": "^[0-9a-f]{64}$"})
NAME = Limits(
    "a file name with an extension, such as rates.csv, without / and \\",
    {"pattern": r"^[^/\\]+\.[A-Za-z0-9_]+$", "max_length": 255},
)
"""The names of data files.

Qlik refuses a name without an extension (DF-011). A slash creates folders, which Tenantry does not manage.
"""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises ConfigurationError if the file cannot be read, is empty or has more than `MAX_BYTES`.
    """
    return _hash_and_copy(path, None)


@contextmanager
def copy(path: Path, digest: str) -> Iterator[Path]:
    """Yield a copy of a file whose SHA-256 is `digest`, so that nobody can change it while it is sent.

    Raises ConfigurationError like `sha256`, and if the content has changed.
    """
    with tempfile.TemporaryDirectory(prefix="tenantry-") as folder:
        target = Path(folder, "data")
        try:
            with target.open("wb") as file:
                actual = _hash_and_copy(path, file)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be copied to {folder}: {error.strerror}") from None
        if actual != digest:
            raise ConfigurationError(f"{path} has changed since the run began. Run it again.")
        yield target


def _hash_and_copy(path: Path, to: IO[bytes] | None) -> str:
    """Return the SHA-256 of a file. Write its content to `to`, unless that is None."""
    digest, length = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        length += len(chunk)
        if to is not None:
            to.write(chunk)
    if not length:
        raise ConfigurationError(f"{path} is empty. Fill it, or remove the entry")
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the content of a file in chunks. Raises ConfigurationError."""
    length = 0
    try:
        if path.is_dir():
            raise ConfigurationError(f"{path} is a folder. Name a file in it")
        with open_plain(path) as file:
            while chunk := file.read(CHUNK):
                length += len(chunk)
                if length > MAX_BYTES:
                    raise too_large(path, MAX_BYTES)
                yield chunk
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
