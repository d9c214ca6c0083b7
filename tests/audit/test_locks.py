"""Tests of the locks of a stack, read from files and from errors of `pulumi`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenantry.audit.locks import Lock, LocksUnknown, locks_in_error, locks_of, moment
from tenantry.state.backend import Backend, PulumiFailed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Lock("ada", "ci", 42, NOON)
TEXT = '{"pid": 42, "username": "ada", "hostname": "ci", "timestamp": "2026-03-01T12:00:00Z"}'
SAID = """\
error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  s3://state/.pulumi/locks/organization/a/b/1.json: created by ada@ci (pid 42) at 2026-03-01T12:00:00Z
  s3://state/.pulumi/locks/organization/a/b/2.json: created by CORP\\ada l.@box.example (pid 7) at \
2026-03-01T14:00:00+02:00
"""


def failure(expected: str) -> PulumiFailed:
    """Return the failure of a command with this output."""
    return PulumiFailed("pulumi stack rename", expected, 255)


def test_locks_are_parsed_from_errors() -> None:
    assert locks_in_error(failure(SAID)) == [ADA, Lock("CORP\\ada l.", "box.example", 7, NOON)]
    assert locks_in_error(failure("error: a stack named globex already exists")) == []


def test_an_output_without_locks_is_an_error() -> None:
    """Only an explicit output counts as "no lock"."""
    with pytest.raises(PulumiFailed, match="unexpected end"):
        locks_in_error(failure("error: unexpected end of JSON input"))
    with pytest.raises(LocksUnknown, match="does not say by whom"):
        locks_in_error(failure("error: the stack is currently locked by somebody"))


def test_a_rename_that_goes_well_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def run(_: Backend, *arguments: str) -> str:
        asked.append(arguments)
        return ""

    monkeypatch.setattr(Backend, "run", run)
    with pytest.raises(LocksUnknown):
        locks_of(Backend(Path()), "s3://state", "tenantry", "globex")
    assert asked == [("stack", "rename", "globex", "--stack", "globex")], (
        "to the name that it has, and no other"
    )


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backend in a folder, without `pulumi`."""

    def run(*_: object) -> str:
        raise AssertionError("the folder tells")

    monkeypatch.setattr(Backend, "run", run)
    for project in ("tenantry", "other"):
        (tmp_path / ".pulumi" / "stacks" / project).mkdir(parents=True)
    return tmp_path


def lock_file(state: Path, stack: str, text: str) -> Path:
    """Write a lock for a stack, which is given with its project."""
    file = state / ".pulumi" / "locks" / "organization" / stack / "1.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("stack", "locks"),
    [
        ("globex", [ADA]),
        ("organization/globex", [ADA]),
        ("organization/tenantry/globex", [ADA]),
        ("organization/other/globex", []),
    ],
)
def test_in_a_folder(state: Path, stack: str, locks: list[Lock]) -> None:
    """Only the files of this stack are locks, and no other files beside them."""
    file = lock_file(state, "tenantry/globex", TEXT)
    file.with_name("1.json.attrs").write_text("{}")
    assert locks_of(Backend(state), f"file://{state}", "tenantry", stack) == locks


@pytest.mark.parametrize(
    "text", ["", '{"pid": 42', "{}", '{"pid": null, "username": "", "hostname": "", "timestamp": ""}']
)
def test_a_lock_that_was_written_in_part_is_as_old_as_its_file(state: Path, text: str) -> None:
    file = lock_file(state, "tenantry/globex", text)
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))
    [lock] = locks_of(Backend(state), f"file://{state}", "tenantry", "globex")
    assert (lock.host, lock.at) == ("", NOON)
    assert lock.holder == "a partly written lock since 2026-03-01T12:00:00+00:00"


def test_a_folder_of_another_layout_is_not_read(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example, a backend of a version without projects. `pulumi` reads its locks."""

    def run(_: Backend, *arguments: str) -> str:
        raise failure(SAID)

    monkeypatch.setattr(Backend, "run", run)
    assert locks_of(Backend(state), f"file://{state}", "third", "globex")[0] == ADA


def test_moments() -> None:
    assert moment("2026-03-01T12:00:00.123456789Z") == NOON.replace(microsecond=123456)
    assert moment("2026-03-01T12:00:00") == NOON
    assert moment("yesterday") is None
