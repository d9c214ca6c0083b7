"""The body of a notification in each form. Hostile texts have no effect."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tenantry.fleet.notify import events
from tenantry.fleet.notify.events import Event, Run
from tenantry.fleet.notify.forms import body
from tenantry.fleet.outcome import Change, Outcome, Report, Trouble
from tenantry.text import on_one_line
from tests import hostile

RUN = Run("tenantry", "up")
HOSTILE = (
    *hostile.ALL,
    "<!channel> <@U123> <https://evil.example|click>",
    "*bold* _it_ ~gone~ `code`",
    "{{DATE(2017-02-14T06:08:39Z,SHORT)}} <at>all</at>",
    "\ud800 half",
)


def failure(stack: str, text: str) -> Outcome:
    return Outcome(stack, "up", "failed", troubles=(Trouble(text, "Space Sales", text, "FORBIDDEN", "t-1"),))


def every(text: str) -> list[Event]:
    """Return an event of each kind with this text."""
    drift = (Change("update", "Group", text),)
    outcomes = (
        failure(text, text),
        Outcome(text, "up", "ok", drift=drift),
        Outcome(text, "up", "not run", remarks=(text,)),
    )
    report = Report("up", outcomes, stopped=text, seconds=3)
    return [
        events.begun(RUN, 3),
        events.failed(RUN, outcomes[:1]),
        events.drifted(RUN, outcomes[1:2]),
        events.trials(RUN, {text: text}, 14),
        events.stopped(RUN, report),
        events.ended(RUN, report),
    ]


def test_the_documented_json_of_a_webhook() -> None:
    event = events.failed(RUN, [failure("acme", "no such role"), Outcome("globex", "up", "interrupted")])
    assert json.loads(body(event, "webhook")) == {
        "version": 1,
        "event": "failed",
        "id": event.id,
        "time": event.time,
        "project": "tenantry",
        "operation": "up",
        "run": RUN.id,
        "text": "up failed for 2 stacks",
        "stacks": [
            {
                "stack": "acme",
                "text": "Space Sales: no such role → no such role",
                "code": "FORBIDDEN",
                "trace_id": "t-1",
            },
            {"stack": "globex", "text": "interrupted", "code": None, "trace_id": None},
        ],
        "total": 2,
        "results": {},
        "stopped": None,
        "seconds": None,
    }


def test_the_end_of_a_run_has_its_results() -> None:
    report = Report(
        "up", (failure("acme", "no"), Outcome("b", "up", "not run")), stopped="1 failed", seconds=63
    )
    ended = json.loads(body(events.ended(RUN, report), "webhook"))
    assert ended["text"] == "up has ended: 2 stacks: 1 not run, 1 failed in 1 m 3 s"
    assert (ended["results"], ended["total"]) == ({"not run": 1, "failed": 1}, 2)
    assert (ended["stopped"], ended["seconds"]) == ("1 failed", 63)
    stopped = json.loads(body(events.stopped(RUN, report), "webhook"))
    assert stopped["text"] == "up was stopped after 1 m 3 s: 1 failed"
    assert [stack["stack"] for stack in stopped["stacks"]] == ["b"]


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("text", HOSTILE)
def test_slack_shows_foreign_text_without_markup(text: str) -> None:
    for event in every(text):
        content = json.loads(body(event, "slack"))
        own = content["blocks"][0]["text"]["text"]
        assert (own[0], own[-1]) == ("*", "*"), "our own type"
        shown = [content["text"], own[1:-1], *(block["text"]["text"] for block in content["blocks"][1:])]
        assert all(block["text"]["verbatim"] for block in content["blocks"])
        for block in shown:
            assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", block)
            assert not re.search(r"(?<!\u200b)[*_~`]|[*_~`](?!\u200b)", block)
            lines = block.replace("\u200b", "").split("\n")
            assert lines == list(map(on_one_line, lines)), "no controls, and block stack on one line"


@pytest.mark.parametrize("text", HOSTILE)
def test_teams_shows_foreign_text_without_markdown(text: str) -> None:
    for event in every(text):
        content = json.loads(body(event, "teams"))
        assert content["type"] == "message"
        (attachment,) = content["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        card = attachment["content"]
        assert card["type"] == "AdaptiveCard"
        assert {element["type"] for element in card["body"]} == {"RichTextBlock"}
        assert {run["type"] for element in card["body"] for run in element["inlines"]} == {"TextRun"}
        assert "entities" not in card["msteams"], "so that nobody is mentioned"
        assert not [text for text in strings(card) if "{{" in text]


def test_a_body_never_exceeds_the_limits() -> None:
    """Slack accepts 3,000 characters in a section, Teams 28 KB."""
    worst = events.failed(RUN, [failure(f"{n}{'&<' * 500}", "<&" * 5000) for n in range(3000)])
    assert worst.total == 3000
    content = json.loads(body(worst, "slack"))
    assert all(len(block["text"]["text"]) <= 3000 for block in content["blocks"])
    assert len(body(worst, "teams")) < 28_000
    assert len(body(worst, "webhook")) < 100_000
    short = events.failed(RUN, [failure(f"customer-{n}", "no") for n in range(3000)])
    *lines, more = json.loads(body(short, "slack"))["blocks"][1]["text"]["text"].splitlines()
    assert more == f"and {3000 - len(lines):,} more"
