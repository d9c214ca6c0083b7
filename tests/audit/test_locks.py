"""Tests of the locks of a stack, which come from files or from errors of `pulumi`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenantry.audit.locks import Lock, LocksUnknown, locks_in_error, locks_of, moment
from tenantry.state.backend import Backend, PulumiFailed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOCK = Lock("ada", "ci", 42, NOON)
TEXT = '{"pid": 42, "username": "ada", "hostname": "ci", "timestamp": "2026-03-01T12:00:00Z"}'
OUTPUT = """\
error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  s3://state/.pulumi/locks/organization/a/b/1.json: created by ada@ci (pid 42) at 2026-03-01T12:00:00Z
  s3://state/.pulumi/locks/organization/a/b/2.json: created by CORP\\ada l.@box.example (pid 7) at \
2026-03-01T14:00:00+02:00
"""


def failure(output: str) -> PulumiFailed:
    """Return the failure of a command with this output."""
    return PulumiFailed("pulumi stack rename", output, 255)


def test_locks_are_parsed_from_errors() -> None:
    assert locks_in_error(failure(OUTPUT)) == [LOCK, Lock("CORP\\ada l.", "box.example", 7, NOON)]
    assert locks_in_error(failure("error: a stack named globex already exists")) == []


def test_an_unknown_output_is_an_error() -> None:
    """Only the error that the name is taken means that there is no lock."""
    with pytest.raises(PulumiFailed, match="unexpected end"):
        locks_in_error(failure("error: unexpected end of JSON input"))
    with pytest.raises(LocksUnknown, match="does not say by whom"):
        locks_in_error(failure("error: the stack is currently locked by somebody"))


def test_a_rename_that_succeeds_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str, ...]] = []

    def run(_: Backend, *arguments: str) -> str:
        commands.append(arguments)
        return ""

    monkeypatch.setattr(Backend, "run", run)
    with pytest.raises(LocksUnknown):
        locks_of(Backend(Path()), "s3://state", "tenantry", "globex")
    assert commands == [("stack", "rename", "globex", "--stack", "globex")], (
        "the command must not rename the stack"
    )


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a backend, and forbid calls of `pulumi`."""

    def run(*_: object) -> str:
        raise AssertionError("`pulumi` was called, but the locks are in the folder")

    monkeypatch.setattr(Backend, "run", run)
    for project in ("tenantry", "other"):
        (tmp_path / ".pulumi" / "stacks" / project).mkdir(parents=True)
    return tmp_path


def lock_file(state: Path, stack: str, text: str) -> Path:
    """Write a lock of the stack, which has the form `project/stack`, and return its file."""
    file = state / ".pulumi" / "locks" / "organization" / stack / "1.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("stack", "locks"),
    [
        ("globex", [LOCK]),
        ("organization/globex", [LOCK]),
        ("organization/tenantry/globex", [LOCK]),
        ("organization/other/globex", []),
    ],
)
def test_the_locks_of_a_stack_are_read_from_the_folder(state: Path, stack: str, locks: list[Lock]) -> None:
    """Other files next to a lock are not locks."""
    file = lock_file(state, "tenantry/globex", TEXT)
    file.with_name("1.json.attrs").write_text("{}")
    assert locks_of(Backend(state), f"file://{state}", "tenantry", stack) == locks


@pytest.mark.parametrize(
    "text", ["", '{"pid": 42', "{}", '{"pid": null, "username": "", "hostname": "", "timestamp": ""}']
)
def test_a_truncated_lock_has_the_age_of_its_file(state: Path, text: str) -> None:
    file = lock_file(state, "tenantry/globex", text)
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))
    [lock] = locks_of(Backend(state), f"file://{state}", "tenantry", "globex")
    assert (lock.host, lock.at) == ("", NOON)
    assert lock.holder == "a partly written lock since 2026-03-01T12:00:00+00:00"


def test_pulumi_reads_the_locks_of_an_unknown_layout(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old version of Pulumi wrote backends without projects."""

    def run(_: Backend, *arguments: str) -> str:
        raise failure(OUTPUT)

    monkeypatch.setattr(Backend, "run", run)
    assert locks_of(Backend(state), f"file://{state}", "third", "globex")[0] == LOCK


def test_times_of_locks_are_parsed() -> None:
    assert moment("2026-03-01T12:00:00.123456789Z") == NOON.replace(microsecond=123456)
    assert moment("2026-03-01T12:00:00") == NOON
    assert moment("yesterday") is None
