"""The web page, the files and the table of a report."""

from __future__ import annotations

import html as entities
import re
from pathlib import Path

import pytest

from tenantry.fleet import report as reports
from tenantry.fleet.outcome import Change, Difference, Outcome, Report, Trouble, WaveTimes
from tenantry.fleet.report import table
from tenantry.fleet.report.html import html
from tenantry.fleet.report.text import text
from tenantry.text import on_one_line
from tests import hostile
from tests.fleet import pages


@pytest.mark.parametrize("name", hostile.ALL)
def test_foreign_text_is_shown_and_has_no_effect(name: str) -> None:
    page = html(pages.report_with_text(name))
    assert not list(hostile.faults(page))
    harmless = html(pages.report_with_text("harmless"))
    assert pages.without_code(pages.tags(page)) == pages.without_code(pages.tags(harmless))
    shown = " ".join(entities.unescape(re.sub(r"<[^>]*>", "", page)).split())
    assert on_one_line(name) in shown


def test_the_page_lists_every_stack_failure_and_danger() -> None:
    page = html(pages.report_about_customers(1000, failed=100, endangered=100))
    for n in range(1000):
        assert f'<th scope="row">customer-{n:04}</th>' in page
    for n in range(100):
        assert f"<b>customer-{n:04}</b>: Space {n}: space {n} is not empty" in page
    assert page.count("delete Space Archive ") == 100


def test_the_page_fetches_nothing_and_runs_only_its_script() -> None:
    page = html(pages.report_with_text("harmless"))
    assert not re.search(r"\b(src|href|url)\b *[=(]|@import|<link", page)
    assert page.count("<script") == 1
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_attributes_contain_no_foreign_text() -> None:
    """Escaping alone does not protect an unquoted attribute or a style."""
    for attribute in re.findall(r'="([^"]*)"', html(pages.report_with_text("harm' onclick=x"))):
        assert "harm" not in attribute


def test_text_to_copy_is_code_and_failures_are_red() -> None:
    trouble = Trouble("no <b>", advice="run `up & go`, then `x`")
    destroyed = Outcome(
        "acme", "destroy", "ok", revive="revive: {hostname: a, tenant_id: t}", purged_on="2026-12-24"
    )
    page = html(Report("destroy", (Outcome("globex", "destroy", "failed", troubles=(trouble,)), destroyed)))
    assert '<section class="red"><h2>Failed<span>1</span></h2>' in page
    assert page.count("no &lt;b&gt; → run <code>up &amp; go</code>, then <code>x</code>") == 1, (
        "it is not repeated in the table"
    )
    assert "<b>acme</b>: until 2026-12-24<pre>revive: {hostname: a, tenant_id: t}</pre>" in page
    assert "<section><h2>To bring a tenant back: put this line below <code>tenantry:customer:</code>" in page


def test_a_report_without_changes_says_so() -> None:
    assert "Nothing to do: no change in 1 customer" in html(Report("up", (Outcome("acme", "up", "ok"),)))
    assert "No stack is affected" in html(Report("up", ()))


def test_the_customer_is_named_next_to_the_stack() -> None:
    page = html(Report("up", (Outcome("acme", "up", "ok", customer="Acme & Sons"),)))
    assert '<th scope="row">acme <small>Acme &amp; Sons</small></th>' in page


def test_the_table_has_one_row_per_stack() -> None:
    version = Change("replace", "App", "Sales", (Difference("version", "1", "2"),), ("version",))
    publication = Change("update", "AppPublication", "Sales in Sales", (Difference("source_app"),))
    space = Change("replace", "Space", "Sales", (), ("type",))
    changes = (*(Change("update", "Group", f"{n}") for n in range(3)), version, publication, space)
    trouble = Trouble("no", "Space Sales", "give it", "FORBIDDEN")
    outcomes = (
        Outcome("b", "up", "failed", plan="gold", changes=changes, troubles=(trouble,), seconds=63),
        Outcome("a", "up", "ok", same=3),
        Outcome("c", "up", "skipped", remarks=("the trial\nis over",)),
    )
    columns, rows, dim = table.table_cells(Report("up", outcomes))
    assert all(len(row) == len(columns) for row in rows)
    assert rows == [
        ("a", "-", "-", "-", "-", "-", "-", "up to date", "-"),
        ("b", "gold", "-", "3", "-", "1", "1", "failed", "1 m 3 s"),
        ("c", "-", "-", "-", "-", "-", "-", "skipped", "-"),
    ]
    assert dim == [True, False, True]


def test_the_text_below_the_table_has_all_sections() -> None:
    """A change in many stacks is one line with a few names. A failure lists every name."""
    failed = tuple(Outcome(f"c{n:02}", "up", "failed", troubles=(Trouble("no"),)) for n in range(20))
    group = Change("create", "Group", "Analysts")
    changed = tuple(Outcome(f"d{n:02}", "up", "ok", changes=(group,)) for n in range(20))
    deleted = Outcome("e", "up", "ok", changes=(Change("delete", "Group", "Old\x1b[2J"),))
    lines = list(text(Report("up", (*failed, *changed, deleted))))
    assert [(line.text, line.red) for line in lines if line.heading] == [
        ("Deletes, replacements and changes of whole tenants: 1", True),
        ("Failed: 20", True),
        ("Changes: 20", False),
    ]
    assert [line.text for line in lines if not line.heading] == [
        "  delete Group Old [2J in 1 customer: e",
        f"  {', '.join(outcome.stack for outcome in failed)}: no",
        f"  create Group Analysts in 20 customers: {', '.join(f'd{n:02}' for n in range(12))} and 8 more",
    ]


def test_the_summary_is_below_the_table() -> None:
    report = Report("up", (Outcome("a", "up", "ok"),), seconds=3, removed=("b",), stopped="Ctrl-C")
    assert table.summary(report).splitlines() == [
        "1 stack: 1 up to date in 3 s",
        "Stacks whose file was removed (their tenants still exist): b",
        "Stopped: Ctrl-C. To continue, run the same command with --resume.",
    ]


def test_a_summary_without_changes_says_so() -> None:
    report = Report("preview", (Outcome("a", "preview", "ok"), Outcome("b", "preview", "ok")), seconds=3)
    assert table.summary(report).splitlines() == [
        "2 stacks: 2 up to date in 3 s",
        "Nothing to do: no change in 2 customers.",
    ]


def test_the_files_are_written_and_read_back(tmp_path: Path) -> None:
    report = pages.report_about_customers(20, failed=2)
    reports.write(report, tmp_path / "reports" / "last", link="https://ci.example/x")
    folder = tmp_path / "reports" / "last"
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "report.md"]
    assert reports.read(folder / "report.json") == report
    assert "<https://ci.example/x>" in (folder / "report.md").read_text("utf-8")
    assert (folder / "report.html").read_text("utf-8") == html(report)


def test_failures_link_to_the_logs_that_are_on_this_machine(tmp_path: Path) -> None:
    existing, deleted = tmp_path / "runs" / "_c3a9 #1", tmp_path / "runs" / "gone"
    existing.mkdir(parents=True)
    (existing / "errors.txt").write_text("no\n")
    (existing / "events.json").touch()
    outcomes = [Outcome(folder.name, "up", "failed", logs=str(folder)) for folder in (existing, deleted)]
    report = Report("up", (*outcomes, Outcome("etc", "up", "failed", logs="../../etc")))
    folder = tmp_path / "reports"
    reports.write(report, folder)
    (link,) = re.findall(r'href="([^"]*)"', (folder / "report.html").read_text("utf-8"))
    assert link == "../runs/_c3a9%20%231/errors.txt"
    (link,) = re.findall(r'href="([^"]*)"', html(report))
    assert link == (existing / "errors.txt").as_uri(), (
        "a page on standard output has no folder for relative links"
    )


def test_waves_have_a_timeline() -> None:
    waves = (WaveTimes("pilot", 3, 0, 0.0, 50.0), WaveTimes("broad", 1200, 2, 50.0, 150.0))
    page = html(Report("up", (Outcome("acme", "up", "ok"),), waves=waves))
    assert re.findall(r'<rect x="(.*?)" width="(.*?)"', page) == [("0.0", "25.0"), ("25.0", "75.0")]
    assert "1,200" in page
    assert page.count('<td class="failed"') == 1
    assert "<rect" not in html(Report("up", (Outcome("acme", "up", "ok"),), waves=waves[:1])), (
        "a single wave needs no timeline"
    )


def test_the_times_of_waves_of_shards_count_from_the_start_of_the_first_shard() -> None:
    parts = [
        Report("up", (Outcome(name, "up", "ok"),), started=at, waves=(WaveTimes("pilot", 1, 0, 1.0, 2.0),))
        for name, at in (("b", "2026-11-01T10:01:00+00:00"), ("a", "2026-11-01T10:00:00+00:00"), ("c", ""))
    ]
    assert [wave.began for wave in reports.joined(parts[:2]).waves] == [1.0, 61.0]
    assert [wave.began for wave in reports.joined(parts).waves] == [1.0, 1.0, 1.0], (
        "one report has no start time"
    )


def test_the_later_report_of_a_stack_wins_in_any_order(tmp_path: Path) -> None:
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    Report("up", (Outcome("a", "up", "failed"),), started="2026-11-01T10:00:00Z", stopped="x").write(files[0])
    Report("up", (Outcome("a", "up", "ok"),), started="2026-11-01T11:00:00Z", stopped="y").write(files[1])
    parts = [reports.read(file) for file in files]
    assert reports.joined(parts) == reports.joined(parts[::-1])
    assert reports.joined(parts).outcomes[0].status == "ok"


def test_a_file_that_is_not_a_report_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"operation": "dance"}', "utf-8")
    with pytest.raises(ValueError, match=r"x\.json is not a report: "):
        reports.read(file)
