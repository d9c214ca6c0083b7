"""Tests of the source archive and the wheel: every build is identical, without data of the machine."""

from __future__ import annotations

import os
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from tests.packages import copy, run
from tools import dist

EPOCH = 1_700_000_000


def copy_source(folder: Path) -> None:
    """Copy the package, with the file times of a new checkout."""
    folder.mkdir()
    copy(folder)
    for file in (folder / "pyproject.toml", folder / "README.md"):
        os.utime(file, (time.time(), time.time()))


def test_two_builds_are_identical(tmp_path: Path) -> None:
    """Each call builds twice, in different folders and with different umasks. pip can install the result."""
    first = dist.dist(copy_source, EPOCH, tmp_path / "first")
    second = dist.dist(copy_source, EPOCH, tmp_path / "second")
    assert [file.suffix for file in first] == [".whl", ".gz"]
    assert [file.name for file in first] == [file.name for file in second]
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]

    wheel, archive = first
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
        assert {member.mtime for member in members} == {EPOCH}
        assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {
            (0, 0, "", "")
        }
        assert {member.mode for member in members} <= {0o644, 0o755}
        names = {member.name for member in members}
    assert any(name.endswith("/tenantry/providers/space.py") for name in names)
    with zipfile.ZipFile(wheel) as zip_file:
        assert {member.date_time for member in zip_file.infolist()} == {time.gmtime(EPOCH)[:6]}
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(tmp_path, *pip, "--no-deps", "--no-index", "--target", "installed", str(wheel))
    assert (tmp_path / "installed" / "tenantry" / "providers" / "space.py").is_file()
    assert os.access(tmp_path / "installed" / "tenantry" / "starting" / "files" / "ci", os.R_OK)


@pytest.mark.parametrize("step", ["_settle_tar", "_settle_zip"])
def test_different_builds_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Without the step that corrects times, users and modes, builds differ. Earlier files stay."""
    monkeypatch.setattr(dist, step, lambda *_: None)
    earlier = tmp_path / "dist" / "earlier"
    earlier.parent.mkdir()
    earlier.touch()
    with pytest.raises(dist.BuildFailed, match="differ in tenantry-"):
        dist.dist(copy_source, EPOCH, tmp_path / "dist")
    assert earlier.exists()


def test_a_failed_build_names_the_reason(tmp_path: Path) -> None:
    def copy_broken_source(folder: Path) -> None:
        copy_source(folder)
        (folder / "pyproject.toml").write_text("[project\n")

    with pytest.raises(dist.BuildFailed, match=r"(?s)build_sdist:.*TOMLDecodeError"):
        dist.dist(copy_broken_source, EPOCH, tmp_path / "dist")
