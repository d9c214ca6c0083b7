"""Folders and forms of themes and extensions for tests."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path

from tenantry.providers.qlik.messages import Part
from tenantry.providers.values import archives
from tests.forms import FormBody

FOLDER = Path(__file__).parent / "files"
THEME = FOLDER / "theme"
EXTENSION = FOLDER / "extension"


def write(folder: Path, name: str, style: str = "red", *, type: str = "theme") -> Path:
    """Write a small theme or extension and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "look.qext").write_text(json.dumps({"name": name, "type": type, "version": "1.0.0"}))
    (folder / "look.css").write_text(f".qv-object {{ color: {style} }}")
    return folder


def form(folder: Path, *, theme: bool = True) -> FormBody:
    """Return the form that uploads the folder of a theme or extension."""
    return FormBody({"file": Part(archives.read(folder, theme=theme).content, "application/zip", "a.zip")})


@cache
def scratch() -> tempfile.TemporaryDirectory[str]:
    """Create a temporary folder that exists until the end of the process."""
    return tempfile.TemporaryDirectory()


def named(name: str) -> FormBody:
    """Return the form that renames an uploaded theme or extension."""
    return FormBody({"data": Part(json.dumps({"name": name}).encode(), "application/json")})
