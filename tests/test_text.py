"""A text from outside has no effect in any output."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tenantry.text import for_csv, for_line, for_markdown, for_terminal, on_one_line
from tests import hostile
from tests.fleet.pages import links, rendered, tags

HARMLESS = ("Søren & Co.", "日本語 👩‍👩‍👧", "a::b", "C# ## x", "tab\tand\nline", "50 %", "[secret]", "x = -1")


@pytest.mark.parametrize("text", hostile.ALL)
def test_text_has_no_effect_in_a_terminal_or_log(text: str) -> None:
    assert not list(hostile.faults(for_line(text)))
    assert len(for_line(text).splitlines()) == 1
    assert [fault for fault in hostile.faults(for_terminal(text)) if "INJECTED" not in fault] == []
    assert for_terminal(for_terminal(text)) == for_terminal(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays_unchanged(text: str) -> None:
    assert for_terminal(text) == text


def test_hidden_characters_become_visible() -> None:
    assert for_terminal("\x1b[31m\u202e\ud800\n::error::") == "\\u001b[31m\\u202e\\ud800\n\\u003a:error::"
    assert for_line("a\n\tb") == "a\\u000a\\u0009b"


@pytest.mark.parametrize("text", [*hostile.ALL, *HARMLESS])
def test_json_keeps_its_meaning(text: str) -> None:
    document = json.dumps({"name": text, text: 1}, indent=2, ensure_ascii=False)
    assert json.loads(for_terminal(document)) == json.loads(document)
    assert not list(hostile.faults(for_terminal(document)))


@pytest.mark.parametrize("text", [*hostile.ALL, *HARMLESS])
def test_a_csv_cell_keeps_its_value_and_is_never_a_formula(text: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(["first", for_csv(text)])
    [[_, cell]] = csv.reader(io.StringIO(for_terminal(out.getvalue())))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))
    assert cell.removeprefix("'") == for_line(text).removeprefix("'")
    if for_line(text) == text:
        assert cell == (f"'{text}" if text[0] in "=+-@\uff1d" else text)


@pytest.mark.parametrize("text", hostile.ALL)
def test_text_has_no_effect_in_markdown(text: str) -> None:
    page = rendered(f"- {for_markdown(text)}\n\n| a |\n| --- |\n| {for_markdown(text)} |\n")
    assert tags(page) == tags(rendered("- x\n\n| a |\n| --- |\n| x |\n"))
    assert not links(for_markdown(text))
    assert not list(hostile.faults(for_markdown(text)))
    assert "<" not in for_markdown(text)


@pytest.mark.parametrize("text", hostile.ALL)
def test_a_text_on_one_line_has_one_line(text: str) -> None:
    assert len(on_one_line(text).splitlines()) == 1
