"""App files and other uploads. They are stored on disk and never completely in memory.

A `.qvf` of the emulator is one line with a magic word, one line of JSON (`name`, `description`, `hasData`)
and then opaque bytes. You can import any other file as well, but it has no app name of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAGIC = b"QVF-EMULATOR/1\n"
CHUNK = 256 * 1024
HEADER_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Content:
    """The content of a download: a generated header, then a file from an offset on.

    Attributes:
        header: the first bytes.
        path: the file that follows; None if there is none.
        offset: the position in the file to start from, in bytes.
    """

    header: bytes
    path: Path | None
    offset: int

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.header) + (self.path.stat().st_size - self.offset if self.path else 0)

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, but not including, `end`, in chunks."""
        head = self.header[start:end]
        if head:
            yield head
        if self.path is None:
            return
        begin = max(start - len(self.header), 0) + self.offset
        remaining = end - start - len(head)
        with self.path.open("rb") as file:
            file.seek(begin)
            while remaining > 0 and (chunk := file.read(min(CHUNK, remaining))):
                remaining -= len(chunk)
                yield chunk


class Spool:
    """A file that is being received."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._file = path.open("wb")

    def write(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def finish(self) -> str:
        """Close the file and return the digest of its content."""
        self._file.close()
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Close and delete the file. After `Files.store` this does nothing."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class Files:
    """A folder of files named by their digests. A template that is imported a thousand times is stored once.

    Args:
        folder: the folder, created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def spool(self) -> Spool:
        """Start to receive a file."""
        return Spool(self.folder / f"{secrets.token_hex(8)}.part")

    def store(self, spool: Spool) -> str:
        """Store a received file and return its key."""
        key = spool.finish()
        os.replace(spool.path, self.folder / key)
        return key

    def append(self, key: str, spool: Spool) -> str:
        """Append a received file to a stored one. Return the key of the combined file."""
        spool.finish()
        combined = self.spool()
        for path in (self.path(key), spool.path):
            with path.open("rb") as source:
                while chunk := source.read(CHUNK):
                    combined.write(chunk)
        spool.discard()
        return self.store(combined)

    def path(self, key: str) -> Path:
        """Return the path of a stored file."""
        return self.folder / key

    def delete_except(self, keys: set[str]) -> None:
        """Delete every stored file except these."""
        for path in self.folder.iterdir():
            if path.name not in keys:
                path.unlink()

    def clear(self) -> None:
        """Delete all files."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()


def qvf_header(
    name: str, description: str, script: str, *, has_data: bool, data: dict[str, Any] | None = None
) -> bytes:
    """Return the header of an exported app. `data` describes its tables and fields."""
    fields = {"name": name, "description": description, "script": script, "hasData": has_data}
    fields |= {"data": data} if has_data and data else {}
    return MAGIC + json.dumps(fields).encode() + b"\n"


def read_qvf_header(path: Path) -> tuple[dict[str, Any], int]:
    """Return an app file's header and the offset of its payload, or `{}` and 0 for any other file."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return {}, 0
        line = file.readline(HEADER_LIMIT)
    try:
        fields = json.loads(line)
    except ValueError:
        return {}, 0
    return (fields, len(MAGIC) + len(line)) if isinstance(fields, dict) else ({}, 0)
