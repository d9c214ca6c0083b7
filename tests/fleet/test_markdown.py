"""A report as Markdown: its length, its important parts, and its protection from foreign text."""

from __future__ import annotations

import html
import random
import re
import time
from dataclasses import replace

import pytest

from tenantry.fleet.outcome import Change, Difference, Outcome, Report, merged
from tenantry.fleet.report.markdown import markdown
from tenantry.text import on_one_line
from tests import hostile
from tests.fleet import pages

MARKER = "<!-- tenantry preview -->"


def rollout(stack: str) -> Outcome:
    change = Change(
        "replace", "App", "Sales Overview", (Difference("version", "2.3.0", "2.4.0"),), ("version",)
    )
    return Outcome(stack, "preview", "ok", plan="gold", changes=(change,), seconds=2)


def test_a_rollout_is_one_folded_line_with_the_names_below() -> None:
    text = markdown(Report("preview", tuple(rollout(f"c{n:03}") for n in range(312)), base="main"))
    assert "<summary>Sales Overview 2.3.0 → 2.4.0 in 312 customers</summary>" in text
    assert "c000, c001, c002" in text
    assert "c099 and 212 more" in text
    assert "[!CAUTION]" not in text
    assert "312 stacks: 312 to change in 0 s, compared with main." in text


def test_few_customers_are_named_in_the_line() -> None:
    text = markdown(Report("preview", (rollout("acme"), rollout("globex"))))
    assert "- Sales Overview 2.3.0 → 2.4.0 in 2 customers: **acme, globex**" in text


def test_dangers_come_directly_below_the_numbers() -> None:
    delete = Outcome("acme", "preview", "ok", changes=(Change("delete", "Space", "Archive"),))
    lines = markdown(Report("preview", (rollout("globex"), delete)), marker=MARKER).splitlines()
    assert lines[0] == MARKER
    assert lines[1] == "## Preview of 2 stacks"
    assert lines[5] == "> [!CAUTION]"
    assert "> - delete Space Archive in 1 customer: **acme**" in lines


def test_the_table_has_every_stack() -> None:
    text = markdown(Report("preview", (rollout("acme"), Outcome("globex", "preview", "ok"))))
    assert "| acme | gold |  |  |  |  | 1 | to change | 2 s |" in text
    assert "| globex |  |  |  |  |  |  | up to date |  |" in text


def test_a_report_without_changes_says_so() -> None:
    assert "No stack is affected. Nothing to do." in markdown(Report("preview", ()))
    text = markdown(Report("preview", (Outcome("acme", "preview", "ok"),)))
    assert "1 stack: 1 up to date in 0 s. Nothing to do: no change in 1 customer." in text
    assert "###" not in text


@pytest.mark.parametrize("limit", [60_000, 20_000, 5_000])
@pytest.mark.parametrize(("failed", "endangered"), [(0, 0), (20, 20), (400, 400), (1000, 0)])
def test_a_thousand_stacks_stay_within_the_limit(limit: int, failed: int, endangered: int) -> None:
    report = pages.report_about_customers(1000, failed=failed, endangered=endangered)
    start = time.perf_counter()
    text = markdown(report, limit=limit, marker=MARKER, link="https://ci.example/report")
    assert time.perf_counter() - start < 5
    assert len(text.encode()) <= limit
    assert text.startswith(MARKER)
    assert "The report is too long for this place" in text
    assert "[Full report](<https://ci.example/report>)" in text
    assert f"whole tenants: {endangered + 1}" in text
    assert "does not delete the tenant" in text or "left out here" in text
    if failed:
        assert f"### Failed: {failed:,}" in text
    assert pages.tags(pages.rendered(text)).count("details") == pages.tags(pages.rendered(text)).count(
        "/details"
    )


def test_names_of_failures_and_dangers_stay_when_others_are_cut() -> None:
    text = markdown(pages.report_about_customers(1000, failed=20, endangered=20), limit=20_000)
    for n in range(20):
        assert f"**customer-{n:04}**: Space {n}: space {n} is not empty" in text
    for n in range(20, 40):
        assert f"- delete Space Archive {n} in 1 customer: **customer-{n:04}**" in text
    assert "**left-over**" in text
    assert re.search(r"\*\*\d+ more lines about [\d,]+ customers left out here\*\*", text)


def test_failures_that_do_not_fit_are_counted_and_some_are_named() -> None:
    text = markdown(pages.report_about_customers(1000, failed=1000), limit=30_000)
    shown = len(re.findall(r"^- \*\*customer-", text, re.MULTILINE))
    assert 50 < shown < 1000
    assert (
        f"**{1000 - shown:,} more lines about {1000 - shown:,} customers left out here**: customer-0" in text
    )


def test_the_text_uses_the_available_space() -> None:
    complete = markdown(pages.report_about_customers(150), limit=10**9)
    size = len(complete.encode())
    assert markdown(pages.report_about_customers(150), limit=size + 1) == complete
    without_table = markdown(pages.report_about_customers(150), limit=size - 1)
    assert "The table of all 150 stacks does not fit here." in without_table
    assert "All stacks" not in without_table
    cut = markdown(pages.report_about_customers(150), limit=5_000)
    assert 4_800 < len(cut.encode()) <= 5_000


def test_the_default_limit_fits_into_a_comment() -> None:
    """GitHub accepts 65,536 characters. The default limit is lower."""
    for customers, fits in (450, True), (500, False):
        complete = markdown(pages.report_about_customers(customers), limit=65_536)
        assert 57_000 < len(complete.encode()) < 65_536
        assert (markdown(pages.report_about_customers(customers)) == complete) is fits


def test_a_tiny_limit_is_kept() -> None:
    text = markdown(pages.report_about_customers(1000, failed=400, endangered=400), limit=700, marker=MARKER)
    assert len(text.encode()) <= 700
    assert "- Failed: 400" in text


@pytest.mark.parametrize("name", hostile.ALL)
def test_foreign_text_is_shown_and_has_no_effect(name: str) -> None:
    text = markdown(pages.report_with_text(name))
    page = pages.rendered(text)
    assert pages.tags(page) == pages.tags(pages.rendered(markdown(pages.report_with_text("harmless"))))
    assert text.count("[!CAUTION]") == 1
    assert not list(hostile.faults(text))
    assert {line.count("|") for line in text.splitlines() if line.startswith("| ")} == {10}
    assert not re.search(r"(?<!\w)@\w", html.unescape(text)), "a name must not become a mention"
    assert not re.search(r"[#!]\d|GH-\d", html.unescape(text)), "a number must not become a link to an issue"
    assert not re.search(r"https?://|www\.", html.unescape(text), re.IGNORECASE), (
        "an address must not become a link"
    )
    assert not [line for line in text.splitlines() if line.startswith("/")], (
        "GitLab reads such a line as a command"
    )
    shown = html.unescape(re.sub(r"<[^>]*>", "", page)).replace("\u200b", "")
    assert on_one_line(name) in " ".join(shown.split())


def test_secrets_stay_hidden_and_readable() -> None:
    change = Change("update", "Space", "Sales", (Difference("key", "[secret]", "[secret]"),))
    text = markdown(Report("preview", (Outcome("acme", "preview", "ok", changes=(change,)),)))
    assert "key [secret] → [secret]" in text


def test_shards_give_the_same_page_in_any_order() -> None:
    report = pages.report_about_customers(60, failed=5, endangered=5)
    shards = [Report("preview", report.outcomes[n::4], seconds=n, removed=report.removed) for n in range(4)]
    first = markdown(merged(shards))
    for seed in range(5):
        random.Random(seed).shuffle(shards)
        assert markdown(merged(shards)) == first
    reverse = Report("preview", tuple(reversed(report.outcomes)), seconds=3, removed=report.removed)
    assert markdown(reverse) == first


def test_a_link_that_is_not_a_url_is_shown_as_text() -> None:
    text = markdown(Report("preview", ()), link="artifact `report`")
    assert "Full report: artifact &#96;report&#96;" in text


def test_a_merged_report_keeps_the_outcome_of_a_stack_that_the_resumed_run_skipped() -> None:
    changed = Outcome("acme", "up", "ok", changes=(Change("create", "Group", "Analysts"),))
    failed = Outcome("globex", "up", "failed")
    first = Report("up", (changed, failed), started="2026-01-01T00:00:00+00:00")
    skipped = replace(changed, status="skipped", changes=(), remarks=("not now",), done_before=True)
    second = Report("up", (skipped, replace(failed, status="ok")), started="2026-01-01T01:00:00+00:00")
    assert merged([second, first]).outcomes == (changed, replace(failed, status="ok"))
