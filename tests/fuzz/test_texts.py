"""No text can change the structure of an output, and each text stays readable."""

from __future__ import annotations

import csv
import html
import io
import json
import re

from hypothesis import assume, given
from hypothesis import strategies as st

from tenantry.fleet.report.html import html as page_of
from tenantry.fleet.report.markdown import markdown
from tenantry.state.backend import redacted
from tenantry.text import for_csv, for_line, for_markdown, for_terminal, on_one_line
from tests import hostile
from tests.fleet.pages import links, rendered, report_with_text, tags, without_code
from tests.fuzz.examples import fuzzing

DEFAULT_EXAMPLES = 150

WORDS = {piece for text in hostile.ALL for piece in re.findall(r"\w+|\W", text)}
PIECES = sorted(WORDS - {"INJECTED"} | {"://", "::", "##["})
# Zero-width spaces are excluded, because `for_markdown` adds some.
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(exclude_characters="\u200b"), max_size=14).map(
    "".join
)

EMPTY_LIST = tags(rendered("- x\n\n| a |\n| --- |\n| x |\n"))
EMPTY_PAGE = without_code(tags(page_of(report_with_text("harmless"))))
EMPTY_REPORT = tags(rendered(markdown(report_with_text("harmless"))))


@fuzzing(DEFAULT_EXAMPLES)
@given(TEXTS, TEXTS)
def test_a_text_has_no_effect_in_a_terminal_or_log(text: str, other: str) -> None:
    shown = for_terminal(f"{text}\n  {other}")
    assert [fault for fault in hostile.faults(shown) if "INJECTED" not in fault] == []
    assert for_terminal(shown) == shown
    assert len(for_line(text).splitlines()) <= 1
    document = json.dumps({text: [other]}, indent=2, ensure_ascii=False)
    assert json.loads(for_terminal(document)) == json.loads(document)


@fuzzing(DEFAULT_EXAMPLES)
@given(TEXTS, TEXTS)
def test_a_text_is_one_harmless_csv_cell(text: str, other: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([for_csv(text), for_csv(other)])
    [cells] = csv.reader(io.StringIO(for_terminal(out.getvalue()))) if text or other else [["", ""]]
    for cell, value in zip(cells, (text, other), strict=True):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert cell in (for_line(value), f"'{for_line(value)}")


@fuzzing(DEFAULT_EXAMPLES)
@given(TEXTS)
def test_a_text_adds_no_element_to_markdown(text: str) -> None:
    shown = for_markdown(text)
    source = rendered(f"- {shown or 'x'}\n\n| a |\n| --- |\n| {shown} |\n")
    assert tags(source) == EMPTY_LIST
    assert links(shown) == []
    assert not list(hostile.faults(shown))
    visible_text = html.unescape(re.sub("<[^>]*>", "", rendered(f"x {shown}"))).replace("\u200b", "")
    assert " ".join(visible_text.split()) == f"x {' '.join(on_one_line(text).split())}".strip()


@fuzzing(DEFAULT_EXAMPLES)
@given(TEXTS)
def test_a_text_adds_no_element_to_a_report(text: str) -> None:
    assume(on_one_line(text))  # a page without a name has fewer elements
    report = report_with_text(text)
    assert without_code(tags(page_of(report))) == EMPTY_PAGE
    assert tags(rendered(markdown(report))) == EMPTY_REPORT
    assert not list(hostile.faults(page_of(report) + markdown(report)))


@fuzzing(DEFAULT_EXAMPLES)
@given(TEXTS, st.from_regex(r"[^\s\"'&]{1,20}", fullmatch=True))
def test_a_secret_in_an_address_is_redacted(text: str, secret: str) -> None:
    secret = f"s3cret{secret}"
    for address in (f"postgres://u:{secret}@host/x", f"s3://bucket?region=eu&token={secret}"):
        assert "s3cret" not in redacted(f"{text} {address} {text}")
    assert redacted(redacted(text)) == redacted(text)
