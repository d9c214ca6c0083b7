"""The pages in a real browser: sorting, filters, a phone, no scripts, and hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.fleet import pages as fleet_pages
from tenantry.fleet.pages.table import Cell, Column, Row, Table
from tenantry.fleet.report.html import html
from tests import hostile
from tests.browser import Browser, browser
from tests.fleet import pages

COLUMNS = (Column("stack"), Column("plan", choice=True), Column("versions"), Column("time", number=True))
ROWS = (
    ("acme", "gold", "2.10.0", "1 m 3 s", 63.0),
    ("globex", "standard", "2.9.1", "4 s", 4.0),
    ("hooli", "gold", "", "", ""),
    ("initech", "trial", "2.3.0", "12 s", 12.0),
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as browser_process:
        yield browser_process


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Write a page with one table."""
    rows = [
        Row((Cell(stack, small=f"{stack} & sons"), Cell(plan), Cell(versions), Cell(time, order=seconds)))
        for stack, plan, versions, time, seconds in ROWS
    ]
    table = Table("All stacks", COLUMNS, rows)
    values = {"title": "Title", "summary": "Summary", "trials": [], "strays": [], "wide": True}
    return write(tmp_path, fleet_pages.render("status.html.j2", tables=[table], **values))


def write(folder: Path, text: str) -> Path:
    file = folder / "page.html"
    file.write_text(text, "utf-8", errors="replace")
    return file


def visible_stacks(browser: Browser) -> list[str]:
    """Return the visible stacks, from top to bottom."""
    rows = "[...document.querySelectorAll('tbody tr')].filter(row => !row.hidden)"
    return list(browser.run(f"{rows}.map(row => row.cells[0].firstChild.data.trim())"))


def column_head(name: str) -> str:
    """Return the JavaScript expression for the head of a column."""
    return f"[...document.querySelectorAll('thead th')].find(head => head.textContent === '{name}')"


def click(browser: Browser, name: str) -> str:
    """Click on a column, and return its text for a screen reader."""
    return str(
        browser.run(f"{column_head(name)}.querySelector('button').click(), {column_head(name)}.ariaSort")
    )


def test_a_click_sorts_by_a_column_and_a_second_one_reverses_it(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    assert click(chromium, "versions") == "ascending"
    assert visible_stacks(chromium) == ["initech", "globex", "acme", "hooli"], (
        "2.9.1 comes before 2.10.0, and an empty cell comes last"
    )
    assert click(chromium, "versions") == "descending"
    assert visible_stacks(chromium) == ["acme", "globex", "initech", "hooli"]
    assert click(chromium, "time") == "ascending"
    assert visible_stacks(chromium) == ["globex", "initech", "acme", "hooli"], (
        "the order is by seconds, not by text"
    )
    assert chromium.run("document.querySelectorAll('[aria-sort]').length") == 1


def test_a_keyboard_sorts_and_filters(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.press("Tab")
    assert chromium.run("document.activeElement.type") == "search"
    for letter in "gold":
        chromium.press(letter)
    assert visible_stacks(chromium) == ["acme", "hooli"]
    chromium.press("Tab", "Tab")
    assert chromium.run("document.activeElement.getAttribute('role')") == "region", (
        "the keyboard can scroll the focused table"
    )
    chromium.press("Tab", "Enter", "Enter")
    assert chromium.run(f"{column_head('stack')}.ariaSort") == "descending"
    assert visible_stacks(chromium) == ["hooli", "acme"]


def fill(browser: Browser, element: str, value: str) -> str:
    """Fill in a filter, and return the page's count of the remaining rows."""
    control = f"document.querySelector('{element}')"
    browser.run(
        f"{control}.value = '{value}', {control}.dispatchEvent(new Event('input', {{bubbles: true}}))"
    )
    return str(browser.run("document.querySelector('output').textContent"))


def test_a_text_or_a_choice_filters_the_rows(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    assert fill(chromium, "input", "SONS 2.") == "3 of 4", "each word may be anywhere in the row, in any case"
    assert visible_stacks(chromium) == ["acme", "globex", "initech"]
    assert fill(chromium, "select", "gold") == "1 of 4"
    assert visible_stacks(chromium) == ["acme"]
    assert fill(chromium, "input", "") == "2 of 4"
    assert fill(chromium, "select", "") == "4 of 4"


def test_on_a_phone_the_page_fits_and_only_the_table_scrolls_sideways(
    chromium: Browser, tmp_path: Path
) -> None:
    chromium.open(write(tmp_path, html(pages.report_about_customers(40, failed=2))), width=390, height=844)
    assert chromium.run("document.documentElement.scrollWidth") <= 390
    right_edges = (
        "[...document.querySelectorAll('input, select')].map(node => node.getBoundingClientRect().right)"
    )
    assert max(chromium.run(right_edges)) <= 390
    for column in ("customer", "plan", "result", "time"):
        rectangle = f"{column_head(column)}.getBoundingClientRect()"
        chromium.run(f"{column_head(column)}.scrollIntoView({{inline: 'end'}})")
        assert 0 <= chromium.run(f"{rectangle}.left") < chromium.run(f"{rectangle}.right") <= 390, column
    first = chromium.run("document.querySelector('tbody th').getBoundingClientRect().right")
    assert 0 < first <= 390 / 2, "the name stays visible, and takes at most half of the width"


def test_a_short_table_has_no_filters(chromium: Browser, tmp_path: Path) -> None:
    chromium.open(write(tmp_path, html(pages.report_about_customers(3))))
    assert chromium.run("document.querySelectorAll('input, select, output').length") == 0
    assert click(chromium, "customer") == "ascending"


def test_without_scripts_all_rows_are_visible_without_controls(chromium: Browser, page: Path) -> None:
    chromium.open(page, scripts=False)
    root = chromium.send("DOM.getDocument")["root"]["nodeId"]
    text = str(chromium.send("DOM.getOuterHTML", nodeId=root)["outerHTML"])
    assert [text.index(row[0]) for row in ROWS] == sorted(text.index(row[0]) for row in ROWS)
    body = text.partition("<body")[2]
    assert "<button" not in body
    assert "<input" not in body


def test_nothing_is_fetched_and_hostile_names_have_no_effect(chromium: Browser, tmp_path: Path) -> None:
    """The page contains all texts of `tests/hostile.py`. It is sorted, filtered and clicked everywhere."""
    names = (
        "".join(hostile.ALL)
        + "<img src=x onerror=alert(1)><script>alert(1)</script>' onclick=alert(1) \"onfocus=alert(1)"
    )
    file = write(tmp_path, html(pages.report_with_text(names)))
    chromium.open(file)
    click(chromium, "customer")
    fill(chromium, "input", "script")
    chromium.run("document.querySelectorAll('*').forEach(node => node.click && node.click())")
    assert chromium.requests == [file.as_uri()]
    assert chromium.messages == []
    assert (
        chromium.run(
            "document.querySelectorAll('tbody script, tbody img, [onclick], [onfocus], iframe').length"
        )
        == 0
    )


def test_the_policy_of_a_page_blocks_foreign_content(chromium: Browser, tmp_path: Path) -> None:
    text = html(pages.report_about_customers(3)).replace(
        "</body>", "<script>window.ran = 1</script><img src='x.png'></body>"
    )
    file = write(tmp_path, text)
    chromium.open(file)
    assert chromium.run("window.ran") is None
    assert chromium.requests == [file.as_uri()]
    assert len(chromium.messages) == 2, "the browser reports each refusal"


def test_a_screen_reader_finds_a_table(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    nodes = chromium.send("Accessibility.getFullAXTree")["nodes"]
    roles = [node.get("role", {}).get("value") for node in nodes if not node["ignored"]]
    assert roles.count("columnheader") == len(COLUMNS)
    assert roles.count("rowheader") == len(ROWS)
    named = {
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if node.get("name") and node.get("role")
    }
    for role, name in (
        ("table", "All stacks"),
        ("search", "All stacks"),
        ("region", "All stacks"),
        ("button", "versions"),
    ):
        assert (role, name) in named, (role, name)
    assert ("searchbox", "Filter") in named


def test_the_size_of_a_page_is_proportional_to_its_rows() -> None:
    small, large = (len(html(pages.report_about_customers(number))) for number in (1000, 3000))
    assert large < 3.05 * small
    assert large < 3000 * 500, "a row has at most 500 characters"


def test_three_thousand_rows_are_sorted_and_filtered(chromium: Browser, tmp_path: Path) -> None:
    chromium.open(write(tmp_path, html(pages.report_about_customers(3000, failed=30))))
    assert click(chromium, "result") == "ascending"
    assert visible_stacks(chromium)[0] == "customer-0000"
    assert fill(chromium, "input", "customer-29 change") == "100 of 3000"
