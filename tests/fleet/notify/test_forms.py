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


def failed_outcome(stack: str, text: str) -> Outcome:
    return Outcome(stack, "up", "failed", troubles=(Trouble(text, "Space Sales", text, "FORBIDDEN", "t-1"),))


def all_events(text: str) -> list[Event]:
    """Return an event of each kind with this text."""
    drift = (Change("update", "Group", text),)
    outcomes = (
        failed_outcome(text, text),
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
    event = events.failed(
        RUN, [failed_outcome("acme", "no such role"), Outcome("globex", "up", "interrupted")]
    )
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
        "up", (failed_outcome("acme", "no"), Outcome("b", "up", "not run")), stopped="1 failed", seconds=63
    )
    end_event = json.loads(body(events.ended(RUN, report), "webhook"))
    assert end_event["text"] == "up has ended: 2 stacks: 1 not run, 1 failed in 1 m 3 s"
    assert (end_event["results"], end_event["total"]) == ({"not run": 1, "failed": 1}, 2)
    assert (end_event["stopped"], end_event["seconds"]) == ("1 failed", 63)
    stop_event = json.loads(body(events.stopped(RUN, report), "webhook"))
    assert stop_event["text"] == "up was stopped after 1 m 3 s: 1 failed"
    assert [stack["stack"] for stack in stop_event["stacks"]] == ["b"]


def strings(value: Any) -> list[str]:
    """Return all strings in a JSON value, without the keys."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("text", HOSTILE)
def test_slack_shows_foreign_text_without_markup(text: str) -> None:
    for event in all_events(text):
        content = json.loads(body(event, "slack"))
        heading = content["blocks"][0]["text"]["text"]
        assert (heading[0], heading[-1]) == ("*", "*"), "Tenantry prints its heading in bold"
        texts = [content["text"], heading[1:-1], *(block["text"]["text"] for block in content["blocks"][1:])]
        assert all(block["text"]["verbatim"] for block in content["blocks"])
        for block in texts:
            assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", block)
            assert not re.search(r"(?<!\u200b)[*_~`]|[*_~`](?!\u200b)", block)
            lines = block.replace("\u200b", "").split("\n")
            assert lines == list(map(on_one_line, lines)), "no control characters, and each stack on one line"


@pytest.mark.parametrize("text", HOSTILE)
def test_teams_shows_foreign_text_without_markdown(text: str) -> None:
    for event in all_events(text):
        content = json.loads(body(event, "teams"))
        assert content["type"] == "message"
        (attachment,) = content["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        card = attachment["content"]
        assert card["type"] == "AdaptiveCard"
        assert {element["type"] for element in card["body"]} == {"RichTextBlock"}
        assert {run["type"] for element in card["body"] for run in element["inlines"]} == {"TextRun"}
        assert "entities" not in card["msteams"], "without entities, Teams mentions nobody"
        assert not [text for text in strings(card) if "{{" in text]


def test_a_body_never_exceeds_the_limits() -> None:
    """Slack accepts 3,000 characters in a section, Teams 28 KB."""
    longest = events.failed(RUN, [failed_outcome(f"{n}{'&<' * 500}", "<&" * 5000) for n in range(3000)])
    assert longest.total == 3000
    content = json.loads(body(longest, "slack"))
    assert all(len(block["text"]["text"]) <= 3000 for block in content["blocks"])
    assert len(body(longest, "teams")) < 28_000
    assert len(body(longest, "webhook")) < 100_000
    many = events.failed(RUN, [failed_outcome(f"customer-{n}", "no") for n in range(3000)])
    *lines, last = json.loads(body(many, "slack"))["blocks"][1]["text"]["text"].splitlines()
    assert last == f"and {3000 - len(lines):,} more"
