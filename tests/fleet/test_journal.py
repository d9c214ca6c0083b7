"""Runs on disk."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.journal import KEPT, OUTCOMES, Journal, directory
from tests.fleet.samples import job


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    return tmp_path


def test_what_went_well_is_known_to_the_next_run() -> None:
    journal = Journal.begin("shop", "up")
    journal.add(job("acme").outcome())
    journal.add(job("bad").outcome(status="failed"))
    journal.add(replace(job("late").outcome(), status="not run"))
    last = Journal.last("shop", "up")
    assert last is not None
    assert last.finished() == {"acme": "d1"}
    assert last.finished("another program") == {}
    assert Journal.last("shop", "destroy") is None
    assert Journal.last("other", "up") is None


def test_a_run_that_was_killed_while_writing() -> None:
    journal = Journal.begin("shop", "up")
    journal.add(job("acme").outcome())
    with (journal.folder / OUTCOMES).open("a") as file:
        file.write('{"stack": "globex", "sta')
    assert journal.finished() == {"acme": "d1"}
    assert Journal.begin("shop", "up").finished() == {}


def test_only_the_logs_of_failures_stay_and_nobody_else_reads_them() -> None:
    journal = Journal.begin("shop", "up")
    for stack, status in (("acme", "ok"), ("bad", "failed"), ("half", "interrupted")):
        journal.folder_of(stack).mkdir()
        journal.add(job(stack).outcome(status=status))
    assert sorted(each.name for each in journal.folder.iterdir() if each.is_dir()) == ["bad", "half"]
    assert stat.S_IMODE(journal.folder.stat().st_mode) == 0o700


def test_old_runs_go() -> None:
    made = [Journal.begin("shop", "preview").folder for _ in range(KEPT + 3)]
    assert sorted(directory("shop").iterdir()) == made[3:]
