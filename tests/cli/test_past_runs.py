"""Tests of `tenantry runs`, and of `tenantry report` with a past run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenantry.fleet.journal import Journal
from tenantry.fleet.outcome import Outcome, Report, Trouble
from tests.cli.conftest import Folder

FAILED = Outcome("globex", "up", "failed", troubles=(Trouble("no", "Space Sales", "give it", "FORBIDDEN"),))


@pytest.fixture
def run(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """Return a past run over two stacks. One of them failed."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "state" / "intents"))
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    journal = Journal.begin("tenantry", "up")
    journal.end(Report("up", (Outcome("acme", "up", "ok"), FAILED), seconds=63.0))
    return journal


def test_runs_are_listed(run: Journal, folder: Folder) -> None:
    Journal.begin("tenantry", "destroy")
    lines = folder.run("runs").stdout.splitlines()
    assert [line.split()[0].partition("-")[0] for line in lines] == ["run", "destroy", "up"]
    assert "not ended: nothing" in lines[1]
    for part in (run.id, "ada@", "1 up to date, 1 failed", "1 m 3 s"):
        assert part in lines[2]
    (_, entry) = json.loads(folder.run("runs", "--json").stdout)
    assert (entry["run"], entry["stacks"], entry["seconds"], entry["ended"]) == (run.id, 2, 63.0, True)
    assert entry["result"] == {"up to date": 1, "failed": 1}


def test_a_run_is_shown_again_in_each_form(run: Journal, folder: Folder, tmp_path: Path) -> None:
    assert "Space Sales" in folder.run("report", run.id).stdout
    assert Report.from_json(folder.run("report", run.id, "--json").stdout) == run.report()
    assert "<html" in folder.run("report", run.id, "--html").stdout
    folder.run("report", run.id, "--reports", str(tmp_path / "reports"))
    assert {file.suffix for file in (tmp_path / "reports").iterdir()} == {".json", ".md", ".html"}


def test_an_unknown_run_is_an_error(run: Journal, folder: Folder) -> None:
    result = folder.run("report", "up-2026")
    assert result.exit_code == 2
    assert run.id in result.stderr


def test_without_past_runs_the_list_is_empty(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "none" / "intents"))
    result = folder.run("runs")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert folder.run("runs", "--json").stdout == "[]\n"
