"""Pictures of brands for tests, with just enough bytes to identify each format."""

from __future__ import annotations

from tenantry.providers.qlik.messages import Part
from tests.forms import FormBody

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
ICO = b"\x00\x00\x01\x00"


def upload(content: bytes, media_type: str = "image/png") -> FormBody:
    """Return the form that uploads one file of a brand."""
    return FormBody({"file": Part(content, media_type, "file")})


def brand(name: str, **files: bytes) -> FormBody:
    """Return the form that creates a brand. `files` have Qlik's names; a logo is a PNG."""
    media_types = {"logo": "image/png", "favIcon": "image/x-icon", "styles": "application/json"}
    parts = {file: Part(content, media_types[file], "file") for file, content in files.items()}
    return FormBody({"name": Part(name.encode(), "text/plain"), **parts})
