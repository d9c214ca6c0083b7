"""An event as the body of a request, in the format of each target. Markup in foreign text has no effect.

Sources: https://api.slack.com/reference/surfaces/formatting (characters to escape),
https://api.slack.com/reference/block-kit/blocks (a section has 3,000 characters),
https://adaptivecards.io/explorer/TextRun.html (no Markdown) and
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (28 KB).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tenantry.fleet.notify.events import Event, StackNote
from tenantry.fleet.notify.targets import Form

VERSION = 1
"""The version of the JSON for webhooks. It changes if a member is removed or gets another meaning."""

MAX_LINES_CHARACTERS = 2800
"""The total length of the lines about stacks, for Slack and Teams."""

_MARKUP = re.compile(r"[*_~`]")


def body(event: Event, form: Form) -> bytes:
    """Return the request body for an event."""
    return json.dumps(_FORMS[form](event), ensure_ascii=True).encode()


def _webhook(event: Event) -> dict[str, Any]:
    return {
        "version": VERSION,
        "event": event.kind,
        "id": event.id,
        "time": event.time,
        "project": event.run.project,
        "operation": event.run.operation,
        "run": event.run.id,
        "text": event.text,
        "stacks": [
            {
                "stack": stack.stack,
                "text": stack.text,
                "code": stack.code or None,
                "trace_id": stack.trace_id or None,
            }
            for stack in event.stacks
        ],
        "total": event.total,
        "results": dict(event.results),
        "stopped": event.stopped or None,
        "seconds": event.seconds,
    }


def _slack(event: Event) -> dict[str, Any]:
    title = _for_slack(_title(event))
    lines = "\n".join(_lines(event, _for_slack))
    blocks = [_section(f"*{title}*"), *([_section(lines)] if lines else [])]
    return {"text": title, "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _for_slack(text: str) -> str:
    """Return text without links, mentions and formatting."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub("\u200b\\g<0>\u200b", text)


def _teams(event: Event) -> dict[str, Any]:
    texts = [_rich(_title(event), weight="Bolder"), *map(_rich, _lines(event, _for_teams))]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": texts,
        "msteams": {"width": "Full"},
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _rich(text: str, **style: str) -> dict[str, Any]:
    """Return a line that shows Markdown as plain text. A TextBlock would format it."""
    run = {"type": "TextRun", "text": _for_teams(text), **style}
    return {"type": "RichTextBlock", "inlines": [run]}


def _for_teams(text: str) -> str:
    """Return text in which a function such as `{{DATE(…)}}` is shown but not executed."""
    return text.replace("{{", "{\u200b{")


def _title(event: Event) -> str:
    return f"{event.run.project}: {event.text}"


def _lines(event: Event, escape: Callable[[str], str]) -> Iterator[str]:
    """Yield a line for each stack while there is room, then how many stacks are left out."""
    remaining, shown_stacks = MAX_LINES_CHARACTERS, 0
    for line in map(escape, map(_line, event.stacks)):
        remaining -= len(line) + 1
        if remaining < 0:
            break
        shown_stacks += 1
        yield line
    if event.stacks and shown_stacks < event.total:
        yield f"and {event.total - shown_stacks:,} more"


def _line(note: StackNote) -> str:
    details: Iterable[str] = filter(
        None, (note.code if note.code not in note.text else "", note.trace_id and f"traceId {note.trace_id}")
    )
    text = f"{note.stack}: {note.text}" if note.text else note.stack
    return " ".join((text, *(f"[{detail}]" for detail in details)))


_FORMS: dict[Form, Callable[[Event], dict[str, Any]]] = {
    "webhook": _webhook,
    "slack": _slack,
    "teams": _teams,
}
