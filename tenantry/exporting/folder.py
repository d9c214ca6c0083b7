"""The folder with the export of one stack: its index, its file names, and its lock.

```
acme/
├── index.json                      all files with size and SHA-256, and what could not be saved
├── users.json, users.csv, groups.json, groups.csv
└── apps/<space>-<id>/<app>-<id>.qvf
```
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tenantry.errors import TenantryError
from tenantry.text import for_csv

FORMAT = 1
INDEX, PERSONAL = "index.json", "personal"
MAX_NAME_BYTES = 100
"""Length of a name in a file name. The whole file name, with id and suffix, may have 255 bytes."""


class ExportRefused(TenantryError):
    """The content of a tenant cannot be exported at all, or not into this folder. Nothing was written."""


def safe_name(name: str, id: str) -> str:
    """Return a file name for an object at Qlik: the letters and digits of its name, and its id.

    The id distinguishes names that become equal here, or on case-insensitive file systems.
    """
    readable = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", name)).strip("-")
    short = readable.encode("utf-8", "ignore")[:MAX_NAME_BYTES].decode("utf-8", "ignore").rstrip("-")
    return "-".join(filter(None, (short, _safe_id(id))))


def _safe_id(id: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", id):
        return id
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


def app_path(item: Mapping[str, Any], spaces: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the path of an app of the catalogue in the folder."""
    space = str(item.get("spaceId") or "")
    name = str(spaces.get(space, {}).get("name") or "") if space else PERSONAL
    place = safe_name(name, space or str(item.get("ownerId") or "unknown"))
    return f"apps/{place}/{safe_name(str(item.get('name') or ''), str(item['resourceId']))}.qvf"


class ExportFolder:
    """The export of one stack below `root`. Created by `opened`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.earlier = _entries(path / INDEX)

    @classmethod
    @contextmanager
    def opened(cls, root: Path, stack: str) -> Iterator[ExportFolder]:
        """Yield the folder of a stack, locked for this process.

        Raises ExportRefused if it cannot be written, or if another export has locked it.
        """
        path = root / stack
        if path.parent != root or stack in ("", ".", ".."):
            raise ExportRefused(f"{stack!r} is not a name for a folder below {root}.")
        try:
            _create_root(root)
            path.mkdir(mode=0o700, exist_ok=True)
            lock = (path / ".lock").open("w")
        except OSError as error:
            raise ExportRefused(f"{path} cannot be written: {error.strerror}. Give another folder.") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ExportRefused(f"Another export is writing into {path}. Wait until it ends.") from None
            for part in path.rglob("*.part"):  # left behind by a killed export
                part.unlink(missing_ok=True)
            yield cls(path)

    def file(self, relative: str) -> Path:
        """Return the path of a file, and create the folders above it."""
        place = self.path / relative
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """Tell whether the file of an entry exists with the recorded size and SHA-256."""
        found = self.inside(entry)
        return found is not None and facts_of(found) == {name: entry.get(name) for name in ("size", "sha256")}

    def inside(self, entry: Mapping[str, Any]) -> Path | None:
        """Return the file of an entry; None if it does not exist, or is outside the folder."""
        place = (self.path / str(entry.get("path", ""))).resolve()
        return place if place.is_file() and place.is_relative_to(self.path.resolve()) else None

    def remove(self, entry: Mapping[str, Any]) -> None:
        """Delete the file of an entry that another file has replaced."""
        if found := self.inside(entry):
            found.unlink()
            with suppress(OSError):
                found.parent.rmdir()  # removes the folder of a space if it is empty

    def write(self, relative: str, text: str) -> dict[str, Any]:
        """Write a file atomically, and return its facts."""
        place = self.file(relative)
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            newline="",
            dir=place.parent,
            prefix=f"{place.name}.",
            suffix=".part",
            delete=False,
        ) as opened:
            part = Path(opened.name)
            try:
                opened.write(text)
                opened.close()
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)
        return {"path": relative, **facts_of(place)}

    def write_index(self, index: Mapping[str, Any]) -> None:
        """Write the index."""
        self.write(INDEX, as_json({"format": FORMAT, **index}))


def facts_of(file: Path) -> dict[str, Any]:
    """Return the size and the SHA-256 of a file."""
    with file.open("rb") as opened:
        return {"sha256": hashlib.file_digest(opened, "sha256").hexdigest(), "size": file.stat().st_size}


def as_json(value: Any) -> str:
    """Return a value as JSON in ASCII, so that no text from Qlik can control a terminal."""
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV. Items of a list are joined by semicolons."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([for_csv(_cell(row.get(column))) for column in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(_cell, value))
    if isinstance(value, dict):
        return str(value.get("name") or value.get("id") or "")
    return "" if value is None else str(value)


def _create_root(root: Path) -> None:
    """Create the folder for all stacks, with a .gitignore so that nobody commits exports by accident."""
    if not root.exists():
        root.mkdir(mode=0o700, parents=True)
        (root / ".gitignore").write_text("*\n", "utf-8")


def _entries(index: Path) -> list[dict[str, Any]]:
    """Return the entries of an earlier index; none if it does not exist or cannot be read."""
    try:
        known = json.loads(index.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    files = known.get("files") if isinstance(known, dict) and known.get("format") == FORMAT else None
    return [entry for entry in files if isinstance(entry, dict)] if isinstance(files, list) else []
