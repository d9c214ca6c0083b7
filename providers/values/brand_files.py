"""The files of a brand: its logo, favicon and styles, with Qlik's limits.

Limits: https://qlik.dev/apis/rest/brands. Qlik does not define KB. 1,000 bytes is the safe interpretation.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values.limits import Limits
from tenantry.providers.values.plain_files import read_bytes

MD5 = Limits("32 hexadecimal digits", {"pattern": "^([0-9a-f]{32})?$"})
"""The MD5 of a file, empty if there is no file."""


class Format(NamedTuple):
    """A file format: its media type, its first bytes, and its usual suffix."""

    media_type: str
    signature: bytes
    suffix: str


class FileKind(NamedTuple):
    """The formats and size that Qlik accepts for one of the files of a brand."""

    formats: tuple[Format, ...]
    max_bytes: int
    description: str


FILE_KINDS = {
    "logo": FileKind(
        (Format("image/png", b"\x89PNG\r\n\x1a\n", ".png"), Format("image/jpeg", b"\xff\xd8\xff", ".jpg")),
        300_000,
        "a PNG or JPEG image",
    ),
    "fav_icon": FileKind(
        (Format("image/x-icon", b"\x00\x00\x01\x00", ".ico"),),
        100_000,
        "an ICO image",
    ),
    "styles": FileKind((Format("application/json", b"", ".json"),), 100_000, "a JSON object"),
}


class BrandFile(NamedTuple):
    """A file of a brand, as it is sent to Qlik."""

    content: bytes
    format: Format

    @property
    def md5(self) -> str:
        """The MD5 of the content."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


def read(path: Path, kind: str) -> BrandFile:
    """Return the file at `path`. `kind` is its purpose, a key of FILE_KINDS.

    Raises ConfigurationError if the file cannot be read, is too large, or has another format.
    """
    file_kind = FILE_KINDS[kind]
    try:
        content = read_bytes(path, file_kind.max_bytes)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    for format in file_kind.formats:
        if content.startswith(format.signature) and (format.signature or _is_json_object(content)):
            return BrandFile(content, format)
    raise ConfigurationError(f"{path} is not {file_kind.description}, which Qlik requires here")


def _is_json_object(content: bytes) -> bool:
    import json

    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False
