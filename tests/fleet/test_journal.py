"""The journal: the runs that are saved on disk."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tenantry.fleet.journal import NOT_ENDED, OUTCOMES, RUNS_KEPT, Journal, directory
from tenantry.fleet.outcome import Report
from tests.fleet.samples import job


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    return tmp_path


def test_the_next_run_knows_the_finished_stacks() -> None:
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


@pytest.mark.parametrize("stack", [".", "..", "../..", "/etc"])
def test_the_folder_of_a_stack_is_always_inside_the_run(stack: str) -> None:
    """The deletion of its logs after a success must not delete anything else."""
    journal = Journal.begin("shop", "up")
    journal.folder_of("acme").mkdir(parents=True)
    assert journal.folder_of(stack).resolve().parent == journal.folder_of("acme").parent
    journal.add(job(stack).outcome())
    assert journal.folder_of("acme").exists()


def test_a_stack_that_was_destroyed_later_is_not_finished() -> None:
    earlier = Journal.begin("shop", "destroy")
    earlier.add(job("globex").outcome())
    journal = Journal.begin("shop", "up")
    for stack in ("acme", "globex", "initech"):
        journal.add(job(stack).outcome())
    later = Journal.begin("shop", "destroy")
    later.add(job("acme").outcome())
    later.add(job("initech").outcome(status="failed"))
    assert journal.finished() == {"globex": "d1"}


def test_an_incomplete_last_line_is_ignored() -> None:
    journal = Journal.begin("shop", "up")
    journal.add(job("acme").outcome())
    with (journal.folder / OUTCOMES).open("a") as file:
        file.write('{"stack": "globex", "sta')
    assert journal.finished() == {"acme": "d1"}
    assert Journal.begin("shop", "up").finished() == {}


def test_only_logs_of_failures_are_kept_and_they_are_private() -> None:
    journal = Journal.begin("shop", "up")
    for stack, status in (("acme", "ok"), ("code", "failed"), (OUTCOMES, "interrupted")):
        journal.folder_of(stack).mkdir(parents=True)
        journal.add(job(stack).outcome(status=status))
    assert journal.logs() == journal.folder_of("code").parent
    stacks_with_logs = [stack for stack in ("acme", "code", OUTCOMES) if journal.folder_of(stack).exists()]
    assert stacks_with_logs == ["code", OUTCOMES], "a stack may have the name of a file of the journal"
    assert stat.S_IMODE(journal.folder.stat().st_mode) == 0o700


def test_old_runs_are_deleted_unless_they_may_be_running() -> None:
    """Many quick previews delete neither a long `up` nor other recent runs."""
    assert RUNS_KEPT == 20
    long_run = Journal.begin("shop", "up").folder
    old = [directory("shop") / f"2026010{n % 10}T0000{n:02}000000-preview" for n in range(RUNS_KEPT + 3)]
    for folder in old:
        folder.mkdir()
    new = [Journal.begin("shop", "preview").folder for _ in range(5)]
    remaining = set(directory("shop").iterdir())
    assert remaining == {long_run, *new, *sorted(old)[-(RUNS_KEPT - 5) :]}
    later = [Journal.begin("shop", "preview").folder for _ in range(RUNS_KEPT)]
    assert set(directory("shop").iterdir()) == {long_run, *new, *later}


def test_a_run_killed_at_its_start_has_no_finished_stacks() -> None:
    journal = Journal.begin("shop", "up", "program")
    journal.add(job("acme").outcome())
    assert journal.finished("program") == {"acme": "d1"}
    (journal.folder / "code").unlink()
    assert journal.finished("program") == {}


def test_without_failures_there_are_no_logs() -> None:
    journal = Journal.begin("shop", "up")
    assert journal.logs() is None
    journal.folder_of("acme").mkdir(parents=True)
    journal.add(job("acme").outcome())
    assert journal.logs() is None


def test_deactivated_tenants_can_be_looked_up() -> None:
    first, second = Journal.begin("shop", "destroy"), Journal.begin("shop", "destroy")
    first.add(job("acme").outcome(revive="revive: {old}", purged_on="2026-11-01"))
    first.add(job("globex").outcome(revive="revive: {globex}", purged_on="2026-12-01"))
    second.add(job("acme").outcome(revive="revive: {new}", purged_on="2026-12-24"))
    second.add(job("globex").outcome(status="failed"))
    Journal.begin("shop", "up").add(job("initech").outcome())
    assert Journal.taken_down("shop") == {
        "acme": ("revive: {new}", "2026-12-24"),
        "globex": ("revive: {globex}", "2026-12-01"),
    }


def test_runs_are_kept_with_their_user_and_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    first, second = Journal.begin("shop", "up"), Journal.begin("shop", "destroy")
    report = Report("up", (job("acme").outcome(), job("bad").outcome(status="failed")), seconds=3.5)
    first.end(report)
    (directory("shop") / "a-note").mkdir()
    assert [(run.folder, run.operation) for run in Journal.all("shop")] == [
        (second.folder, "destroy"),
        (first.folder, "up"),
    ]
    assert first.report() == report
    assert first.by.startswith("ada@")
    assert first.id == f"up-{first.started:%Y%m%dT%H%M%S}"
    assert Journal.all("other") == []


def test_an_unfinished_run_reports_its_finished_stacks() -> None:
    journal = Journal.begin("shop", "up")
    journal.add(job("acme").outcome())
    report = journal.report()
    assert [(outcome.stack, outcome.status) for outcome in report.outcomes] == [("acme", "ok")]
    assert report.stopped == NOT_ENDED
