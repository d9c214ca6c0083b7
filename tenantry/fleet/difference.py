"""The differences between the settings in a commit and in the working tree, for each customer.

This module reads no state and needs no credentials.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tenantry.fleet.changes import git, merge_base
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import Change, Difference, Outcome, Report
from tenantry.fleet.report import words
from tenantry.fleet.selection import Selection
from tenantry.fleet.troubles import from_settings
from tenantry.settings.document import Keys, path_text
from tenantry.settings.errors import SettingsError
from tenantry.settings.models import ENTRIES
from tenantry.settings.origins import Value, values_of
from tenantry.settings.project import Project
from tenantry.settings.sources import CUSTOMER

SETTING = "setting"
"""The `kind` of the changes in such a report."""


def compare(selection: Selection, root: Path, ref: str) -> Report:
    """Compare the settings of the selected stacks with the merge base of this checkout and `ref`.

    Raises UnknownRef.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    base = merge_base(ref, root)
    with _checked_out(root, base) as former_root:
        project = Project.at(former_root)
        files = project.stack_files() if project else {}
        outcomes = tuple(_outcome(member, files.get(member.stack)) for member in selection.members)
    return Report(
        "diff",
        outcomes,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 1),
        removed=selection.removed,
        base=ref,
    )


@contextmanager
def _checked_out(root: Path, commit: str) -> Iterator[Path]:
    """Yield a folder with the project as of a commit. The folder is empty if the commit has no project."""
    with tempfile.TemporaryDirectory(prefix="tenantry-diff-") as name:
        if git(root, "ls-tree", "--name-only", commit):  # the output is empty if the folder is new
            archive_process = subprocess.run(
                ["git", "-C", str(root), "archive", "--format=tar", commit, "."],
                capture_output=True,
                check=True,
            )
            with tarfile.open(fileobj=io.BytesIO(archive_process.stdout)) as archive:
                archive.extractall(name, filter=_inside)  # noqa: S202 (filtered)
        yield Path(name)


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Skip entries that lead out of the folder, such as links. No setting is read from there."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


def _outcome(member: Member, former_file: Path | None) -> Outcome:
    outcome = Outcome(
        member.stack,
        "diff",
        "ok",
        customer=member.customer,
        plan=member.plan,
        ring=member.ring,
        tags=dict(member.tags),
        pinned=member.pinned,
        new=former_file is None,
    )
    if member.broken:
        return replace(outcome, status="failed", troubles=tuple(from_settings(member.broken)))
    have: Mapping[str, Value] = {}
    remarks: tuple[str, ...] = ()
    if former_file is not None:
        try:
            have = _values(former_file)
        except SettingsError:
            remarks = ("its earlier settings cannot be read",)
    want = _values(member.file)
    differences = list(_changes(have, want))
    same = sum(name in have and have[name].value == value.value for name, value in want.items())
    ordered = tuple(sorted(differences, key=lambda change: change.name))
    return replace(outcome, changes=ordered, same=same, remarks=remarks)


def _values(file: Path) -> dict[str, Value]:
    return {value.path: value for value in values_of(file)}


def _changes(have: Mapping[str, Value], want: Mapping[str, Value]) -> Iterator[Change]:
    """Yield the differences. An entry that exists on one side only, such as a group, is one change."""
    former, now = _entries(have), _entries(want)
    for entry in former.keys() ^ now.keys():
        old, new = former.get(entry), now.get(entry)
        operation = "create" if old is None else "delete"
        yield Change(operation, SETTING, path_text(entry), (Difference("value", old, new),))
    for name in {**have, **want}:
        sides = [side.get(name) for side in (have, want)]
        values = [side for side in sides if side is not None]
        if any(_entry(value) in former.keys() ^ now.keys() for value in values):
            continue
        old, new = (None if side is None else side.value for side in sides)
        if old != new and any(value.origin for value in values):  # otherwise it follows from another setting
            operation = "update" if len(values) == 2 else "create" if sides[0] is None else "delete"
            yield Change(operation, SETTING, name, (Difference("value", old, new),))


def _entry(value: Value) -> Keys:
    """Return the keys of the entry to which a value belongs, or an empty tuple."""
    keys = value.keys
    return keys[:3] if len(keys) > 2 and keys[0] == CUSTOMER and keys[1] in ENTRIES else ()


def _entries(values: Mapping[str, Value]) -> dict[Keys, str]:
    """Return the text of each entry, such as "provider_type custom, roles AnalyticsAdmin"."""
    texts_by_entry: dict[Keys, list[str]] = {}
    for value in values.values():
        if entry := _entry(value):
            texts = texts_by_entry.setdefault(entry, [])
            is_its_key = value.keys[3:] == ("name",) and value.value == entry[-1]
            if value.origin and not is_its_key:
                texts.append(f"{path_text(value.keys[3:])} {words.value(value.value)}")
    return {entry: ", ".join(texts) for entry, texts in texts_by_entry.items()}
