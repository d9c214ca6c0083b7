"""Archives of themes and extensions: a folder or a zip with one .qext file. Qlik receives a zip.

Limits: help.qlik.com, "Uploading and managing themes" and "Uploading and managing visualization extensions".
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values.limits import Limits
from tenantry.providers.values.plain_files import read_bytes

MAX_BYTES = 30_000_000
"""The largest size of the zip, and of each file in a folder."""

MAX_UNPACKED = 100_000_000
"""The largest total size of the files in a zip."""

MAX_FILES = 500

MD5 = Limits("32 hexadecimal digits", {"pattern": "^[0-9a-f]{32}$"})

THEME = "theme"
"""The `type` in the .qext file of a theme. Extensions have other types."""


class Archive(NamedTuple):
    """A zip for Qlik. `name` is the display name in its .qext file."""

    content: bytes
    name: str

    @property
    def md5(self) -> str:
        """The MD5 of the content, which Qlik also returns."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


def read(path: Path, *, theme: bool) -> Archive:
    """Return the zip at `path`, or a zip of the folder there.

    It must be a theme, or an extension if `theme` is False. A folder gives the same zip on every machine,
    without the files that Qlik drops: hidden files and files without an extension. Raises ConfigurationError.
    """
    try:
        content = _packed(path) if path.is_dir() else read_bytes(path, MAX_BYTES)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError(f"{path} cannot be read: this is not a path") from None
    try:
        return Archive(content, _name(_texts(content), theme=theme))
    except ConfigurationError as error:
        raise ConfigurationError(f"{path} {error}") from None


def _packed(folder: Path) -> bytes:
    """Return the files of a folder as a zip. It is uncompressed, as versions of zlib compress differently."""
    import zipfile

    packed = BytesIO()
    remaining = MAX_BYTES
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for number, (name, file) in enumerate(sorted(_files(folder))):
            if number == MAX_FILES:
                raise OSError(errno.EFBIG, f"it has more than {MAX_FILES} files")
            content = read_bytes(file, MAX_BYTES)
            remaining -= len(content)
            if remaining < 0:
                raise OSError(errno.EFBIG, f"its files have more than {MAX_BYTES:,} bytes")
            entry = zipfile.ZipInfo(name)  # dated 1980, regardless of the file's time
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder for the zip, each with its name there."""

    def fail(error: OSError) -> None:
        raise error

    for at, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if Path(name).suffix and not name.startswith("."):
                file = Path(at, name)
                yield file.relative_to(folder).as_posix(), file


def _texts(content: bytes) -> Mapping[str, bytes]:
    """Return the .qext files of a zip by name. Raises ConfigurationError if Qlik refuses such a zip."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES:
                raise ConfigurationError(f"has {len(entries)} files; Qlik accepts {MAX_FILES}")
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise ConfigurationError(f"has more than {MAX_UNPACKED:,} bytes when it is unpacked")
            return {
                entry.filename: _read_start(archive.open(entry))
                for entry in entries
                if entry.filename.endswith(".qext")
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise ConfigurationError("is not a zip, or is damaged") from None


MAX_QEXT_BYTES = 1_000_000


def _read_start(file: Any) -> bytes:
    with file:
        return bytes(file.read(MAX_QEXT_BYTES))


def _name(texts: Mapping[str, bytes], *, theme: bool) -> str:
    """Return the name in the only .qext file."""
    import json

    if len(texts) != 1:
        raise ConfigurationError(
            f"has {_listed(texts) or 'no .qext file'}; a theme or extension has exactly one .qext file"
        )
    [(file, text)] = texts.items()
    try:
        content = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ConfigurationError(f"has a {file} that is not JSON") from None
    name, kind = (content.get("name"), content.get("type")) if isinstance(content, dict) else (None, None)
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(f"has a {file} without a name")
    if (kind == THEME) is not theme:
        expected, block = ("a theme", "extensions") if theme else ("an extension", "themes")
        negation = "not " if theme else ""
        raise ConfigurationError(
            f"is not {expected}: the type in {file} is {negation}{THEME!r}. Move the entry to {block}"
        )
    return name


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:5])
