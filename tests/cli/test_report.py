"""Tests of `tenantry report`, `comment` and `issue`: merged shards, and posts to a forge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tenantry.cli import comment, report
from tenantry.cli.reporting import finish
from tenantry.cli.shared import Output
from tenantry.fleet.outcome import Outcome, Report, Trouble
from tenantry.fleet.report.html import html
from tenantry.fleet.report.markdown import markdown
from tests.fleet.forge_server import TOKEN, Server, serving

APP = typer.Typer()
report.add_to(APP)
comment.add_to(APP)

OUTCOMES = (
    Outcome("acme", "up", "ok", plan="gold"),
    Outcome("globex", "up", "failed", troubles=(Trouble("no", "Space Sales", "give it", "FORBIDDEN"),)),
    Outcome("initech", "up", "ok"),
)


@pytest.fixture(autouse=True)
def _no_forge(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN", "CI_API_V4_URL", "CI_PROJECT_ID", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/customers")
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield server


@pytest.fixture
def shards(tmp_path: Path) -> list[str]:
    """Write the reports of three shards with one stack each, and return their paths."""
    files = []
    for number, outcome in enumerate(OUTCOMES):
        files.append(tmp_path / f"{number}.json")
        Report("up", (outcome,), started=f"2026-11-0{number + 1}T00:00:00Z", seconds=number).write(files[-1])
    return list(map(str, files))


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(APP, list(arguments), input=text, catch_exceptions=False)


def test_reports_of_shards_merge_in_any_order(shards: list[str]) -> None:
    result = run("report", *shards)
    assert result.exit_code == 0
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        "customer plan + ~ - ± replace apps result time",
        "acme gold - - - - - up to date -",
        "globex - - - - - - failed -",
        "initech - - - - - - up to date -",
        "Failed: 1",
        "globex: Space Sales: no → give it [FORBIDDEN]",
        "3 stacks: 2 up to date, 1 failed in 2 s",
    ]
    assert run("report", *reversed(shards)).stdout == result.stdout


def test_markdown_html_and_json_are_printed(shards: list[str], tmp_path: Path) -> None:
    merged = Report.from_json(run("report", "--json", *shards).stdout)
    assert [outcome.stack for outcome in merged.outcomes] == ["acme", "globex", "initech"]
    assert run("report", "--html", *shards).stdout == html(merged) + "\n"
    link = "https://ci.example/x"
    assert run("report", "--markdown", "--link", link, *shards).stdout == markdown(merged, link=link)
    assert run("report", "--markdown", "--json", *shards).exit_code == 2
    folder = tmp_path / "out"
    assert run("report", "--reports", str(folder), *shards).exit_code == 0
    assert json.loads((folder / "report.json").read_text("utf-8"))["seconds"] == 2
    assert (folder / "report.html").exists()


def test_a_file_that_is_not_a_report_is_named(tmp_path: Path, shards: list[str]) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", "utf-8")
    for name, words in ((str(broken), "is not a report"), (str(tmp_path / "none.json"), "There is no file")):
        result = run("report", *shards, name)
        assert result.exit_code == 2
        assert name in result.stderr
        assert words in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_reports_of_different_runs_are_refused(tmp_path: Path, shards: list[str]) -> None:
    Report("destroy", ()).write(tmp_path / "other.json")
    result = run("report", *shards, str(tmp_path / "other.json"))
    assert result.exit_code == 2
    assert "different operations" in result.stderr


def test_a_comment_is_created_and_then_updated(server: Server, tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("first\n", "utf-8")
    result = run("comment", "--pull-request", "7", str(tmp_path / "report.md"))
    assert (result.exit_code, result.stdout) == (0, f"{server.comments[0]['html_url']}\n")
    assert run("comment", "--pull-request", "7", "-", text="second\n").exit_code == 0
    assert [comment["body"] for comment in server.comments] == ["<!-- tenantry preview -->\nsecond\n"]
    run("comment", "--pull-request", "7", "--marker", "other", "-", text="third")
    assert len(server.comments) == 2


def test_an_issue_is_opened_and_closed(server: Server) -> None:
    assert run("issue", "--title", "Drift", "-", text="acme").exit_code == 0
    assert [issue["title"] for issue in server.open] == ["Drift"]
    assert run("issue", "--title", "Drift").exit_code == 2
    assert run("issue", "--title", "Drift", "--close").exit_code == 0
    assert server.open == []


def test_without_a_forge_comment_and_issue_are_errors(tmp_path: Path) -> None:
    for command in (["comment", "--pull-request", "7", "-"], ["issue", "--title", "Drift", "-"]):
        result = run(*command, text="text")
        assert result.exit_code == 2
        assert "neither GitHub nor GitLab" in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_an_error_of_the_forge_is_one_line(server: Server) -> None:
    server.failures = [(403, {"message": "no"})]
    result = run("comment", "--pull-request", "7", "-", text="text")
    assert result.exit_code == 1
    assert "pull-requests: write" in result.stderr
    assert TOKEN not in result.output


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = run("comment", "--pull-request", "7", str(tmp_path / "none.md"))
    assert result.exit_code == 2
    assert "none.md cannot be read" in result.stderr


def test_a_report_that_cannot_be_written_is_still_printed(
    shards: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report is needed even if the folder cannot be written: it contains the revive lines."""
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "reports"
    result = run("report", "--reports", str(folder), *shards)
    assert result.exit_code == 1
    assert "3 stacks: 2 up to date, 1 failed" in result.stdout
    assert f"cannot be written into {folder}" in result.stderr
    for outcomes, code in ((OUTCOMES[:1], 1), (OUTCOMES, 1)):
        with pytest.raises(typer.Exit) as exit_info:
            finish(Report("up", outcomes), Output("", folder))
        assert exit_info.value.exit_code == code
    with pytest.raises(typer.Exit) as exit_info:
        finish(Report("up", OUTCOMES, stopped="2 failed, none may fail"), Output("", folder))
    assert exit_info.value.exit_code == 3
    assert "acme" in capsys.readouterr().out
