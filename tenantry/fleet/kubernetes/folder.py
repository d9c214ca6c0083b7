"""The files of the manifests in a folder: written, compared, and taken away with their customer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tenantry.fleet.kubernetes.manifests import HEAD


def outdated_files(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return which files of a folder are not as they should be: missing, different, or left over.

    Left over is only what was written by this command; what others keep there is theirs. Raises OSError.
    """
    there = {file.relative_to(folder).as_posix(): _text(file) for file in sorted(folder.glob("**/*.yaml"))}
    other = [name for name, text in files.items() if there.get(name) != text]
    return sorted([*other, *(name for name in there if name not in files and there[name].startswith(HEAD))])


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Bring a folder up to date, and return what has changed in it. Raises OSError."""
    changed = outdated_files(folder, files)
    for name in changed:
        file = folder / name
        if name not in files:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(files[name], "utf-8")
    return changed


def _text(file: Path) -> str:
    return file.read_text("utf-8", errors="replace")
