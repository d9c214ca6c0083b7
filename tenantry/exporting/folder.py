"""The folder that holds the export of one stack: its index, its file names, one writer at a time.

```
acme/
├── index.json                      what is here, with sizes and SHA-256, and what could not be saved
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
LONGEST_NAME = 100
"""Bytes of a name in a file name, which may have 255 with its id and the ending of a partial file."""


class ExportRefused(TenantryError):
    """The content of a tenant cannot be exported, or not into that folder; nothing of it was written."""


def safe_name(name: str, id: str) -> str:
    """Return a file name for an object at Qlik: its name in letters and digits, and its id.

    The id keeps names apart that look alike here, or on file systems that do not tell upper from lower case.
    """
    readable = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", name)).strip("-")
    short = readable.encode("utf-8", "ignore")[:LONGEST_NAME].decode("utf-8", "ignore").rstrip("-")
    return "-".join(filter(None, (short, _safe_id(id))))


def _safe_id(id: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", id):
        return id
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


def app_path(item: Mapping[str, Any], spaces: Mapping[str, Mapping[str, Any]]) -> str:
    """Return where in the folder an app of the catalogue belongs."""
    space = str(item.get("spaceId") or "")
    name = str(spaces.get(space, {}).get("name") or "") if space else PERSONAL
    place = safe_name(name, space or str(item.get("ownerId") or "unknown"))
    return f"apps/{place}/{safe_name(str(item.get('name') or ''), str(item['resourceId']))}.qvf"


class ExportFolder:
    """The export of one stack below `root`. Made by `opened`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.earlier = _entries(path / INDEX)

    @classmethod
    @contextmanager
    def opened(cls, root: Path, stack: str) -> Iterator[ExportFolder]:
        """Yield the folder of a stack, for this process alone.

        Raises ExportRefused where it cannot be written, or another export is writing there.
        """
        path = root / stack
        if path.parent != root or stack in ("", ".", ".."):
            raise ExportRefused(f"{stack!r} is not a name for a folder below {root}.")
        try:
            _make_private(root)
            path.mkdir(mode=0o700, exist_ok=True)
            lock = (path / ".lock").open("w")
        except OSError as error:
            raise ExportRefused(f"{path} cannot be written: {error.strerror}. Name another folder.") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ExportRefused(f"Another export is writing into {path}. Wait for its end.") from None
            for part in path.rglob("*.part"):  # left by an export that was killed
                part.unlink(missing_ok=True)
            yield cls(path)

    def file(self, relative: str) -> Path:
        """Return the place of a file, with the folders above it made."""
        place = self.path / relative
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """Tell whether the file of an entry is there, byte for byte."""
        found = self.inside(entry)
        return found is not None and facts_of(found) == {name: entry.get(name) for name in ("size", "sha256")}

    def inside(self, entry: Mapping[str, Any]) -> Path | None:
        """Return the file of an entry; None if there is none, or it is outside of the folder."""
        place = (self.path / str(entry.get("path", ""))).resolve()
        return place if place.is_file() and place.is_relative_to(self.path.resolve()) else None

    def remove(self, entry: Mapping[str, Any]) -> None:
        """Delete the file of an entry that another file has taken the place of."""
        if found := self.inside(entry):
            found.unlink()
            with suppress(OSError):
                found.parent.rmdir()  # the folder of a space, if it is empty now

    def write(self, relative: str, text: str) -> dict[str, Any]:
        """Write a file that appears only when all of it is there; return its facts."""
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
    """Return a value as JSON in ASCII, so that no text of others does anything to a terminal."""
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV; a list is joined by semicolons."""
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


def _make_private(root: Path) -> None:
    """Make the folder for all stacks. What customers made must not be committed by accident."""
    if not root.exists():
        root.mkdir(mode=0o700, parents=True)
        (root / ".gitignore").write_text("*\n", "utf-8")


def _entries(index: Path) -> list[dict[str, Any]]:
    """Return the entries of an earlier index; none if it is not there or cannot be read."""
    try:
        known = json.loads(index.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    files = known.get("files") if isinstance(known, dict) and known.get("format") == FORMAT else None
    return [each for each in files if isinstance(each, dict)] if isinstance(files, list) else []
