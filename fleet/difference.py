"""What a commit and the files here say differently of each customer: no state, no credentials."""

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
from typing import Any

from fleet.changes import git, merge_base
from fleet.members import Member
from fleet.outcome import Change, Difference, Outcome, Report
from fleet.selection import Selection
from fleet.troubles import of_settings
from stacks.errors import SettingsError
from stacks.origins import values_of
from stacks.project import Project

SETTING = "setting"
"""The kind of what changes here."""


def compare(selection: Selection, root: Path, ref: str) -> Report:
    """Return what the settings of the selected stacks are now, against the commit from which `ref` and this
    checkout went apart. Raises UnknownRef.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    base = merge_base(ref, root)
    with _checked_out(root, base) as former:
        project = Project.at(former)
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
    """Give a folder with the project as it was in a commit; with nothing in it if it was not there."""
    with tempfile.TemporaryDirectory(prefix="tenantry-diff-") as name:
        if git(root, "ls-tree", "--name-only", commit):  # nothing where the folder is new
            packed = subprocess.run(
                ["git", "-C", str(root), "archive", "--format=tar", commit, "."],
                capture_output=True,
                check=True,
            )
            with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
                archive.extractall(name, filter=_inside)  # noqa: S202 (filtered)
        yield Path(name)


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Leave out what leads out of the folder, such as a link to elsewhere: no setting is read from there."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


def _outcome(member: Member, former: Path | None) -> Outcome:
    about = Outcome(
        member.stack,
        "diff",
        "ok",
        customer=member.customer,
        plan=member.plan,
        ring=member.ring,
        tags=dict(member.tags),
        pinned=member.pinned,
        new=former is None,
    )
    if member.broken:
        return replace(about, status="failed", troubles=tuple(of_settings(member.broken)))
    have: Mapping[str, Any] = {}
    remarks: tuple[str, ...] = ()
    if former is not None:
        try:
            have = _values(former)
        except SettingsError:
            remarks = ("its settings could not be read before",)
    want = _values(member.file)
    differences = [_change(name, have, want) for name in {**have, **want} if have.get(name) != want.get(name)]
    same = sum(have.get(name) == value for name, value in want.items())
    ordered = tuple(sorted(differences, key=lambda each: each.name))
    return replace(about, changes=ordered, same=same, remarks=remarks)


def _values(file: Path) -> dict[str, Any]:
    return {each.path: each.value for each in values_of(file)}


def _change(name: str, have: Mapping[str, Any], want: Mapping[str, Any]) -> Change:
    operation = "update" if name in have and name in want else "create" if name in want else "delete"
    return Change(operation, SETTING, name, (Difference("value", have.get(name), want.get(name)),))
