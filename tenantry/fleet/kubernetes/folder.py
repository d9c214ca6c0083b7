"""The manifest files in a folder: compare and write them, and delete the files of removed customers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tenantry.fleet.kubernetes.manifests import HEAD


def outdated_files(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return the files of a folder that are missing, different or no longer needed. Raises OSError.

    Files that this command did not write are ignored.
    """
    existing = {file.relative_to(folder).as_posix(): _text(file) for file in sorted(folder.glob("**/*.yaml"))}
    different = [name for name, text in files.items() if existing.get(name) != text]
    return sorted(
        [*different, *(name for name in existing if name not in files and existing[name].startswith(HEAD))]
    )


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Update a folder, and return the changed files. Raises OSError."""
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
