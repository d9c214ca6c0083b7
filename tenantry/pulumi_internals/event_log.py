"""The engine's event log, `--event-log FILE`.

Relies on: a line of JSON for each event, written as it happens. Each has one of the keys below.

resourcePreEvent   a step begins: `metadata`, `planning`
resOutputsEvent    it is done: the same
resOpFailedEvent   it has failed: the same
diagnosticEvent    something is said: `severity`, `message`, `urn`, `ephemeral`
summaryEvent       the engine has come to the end

`metadata` has `op`, `urn`, `keys`, `diffs`, `detailedDiff`, and `old` and `new` with `inputs` and `protect`.
A replacement is three steps, `create-replacement`, `replace`, `delete-replaced`. A refresh tells what differs
by `old` and `new` alone. What an earlier run was cut off at is a diagnostic whose text begins as below.

Seen to hold: CLI 3.259.0.

When it breaks: reports miss changes, as an event of another form is passed over, or count them twice. A run
that fails without an error in its log is told by what the command printed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BEGUN = "resourcePreEvent"
DONE = "resOutputsEvent"
FAILED = "resOpFailedEvent"
STEP_EVENTS = (BEGUN, DONE, FAILED)
SAID = "diagnosticEvent"
SUMMARY = "summaryEvent"

HALVES = ("create-replacement", "delete-replaced")
"""The two halves of a replacement, which is a step of its own as well."""

QUIET = ("read", "read-discard", "discard-replaced", "remove-pending-replace")
"""Steps after which a resource is as it was."""

PENDING = "Attempting to deploy or update resources with"
_CUT_OFF = re.compile(r"\* (urn:\S.*?), interrupted while (\w+)")
_DEBUG = '"severity":"debug"'


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a log, less those that only debugging needs, up to a line that is half written."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if _DEBUG in line:
                continue
            try:
                found = event(line)
            except ValueError:
                return
            if found:
                yield found


def event(line: str) -> dict[str, Any]:
    """Return the event of a line, with all that the list above says of it; `{}` for one of another form.

    Raises ValueError: the line is no JSON, as one that is half written.
    """
    try:
        found = json.loads(line)
    except RecursionError:
        return {}
    is_sound = isinstance(found, dict) and all(
        _SOUND[key](found[key]) for key in _SOUND.keys() & found.keys()
    )
    return found if is_sound else {}


def _is_step(value: Any) -> bool:
    step = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(step, dict) or not all(isinstance(step.get(name), str) for name in ("op", "urn")):
        return False
    states = [step.get(side) or {} for side in ("old", "new")]
    objects = [*states, step.get("detailedDiff") or {}]
    lists = [step.get(name) or [] for name in ("keys", "diffs")]
    return (
        all(isinstance(each, dict) for each in objects)
        and all(isinstance(state.get("inputs") or {}, dict) for state in states)
        and all(isinstance(each, list) and all(isinstance(name, str) for name in each) for each in lists)
    )


def _is_said(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name, default), str)
        for name, default in (("severity", None), ("message", None), ("urn", ""))
    )


_SOUND = dict.fromkeys(STEP_EVENTS, _is_step) | {SAID: _is_said}


def cut_off(text: str) -> list[tuple[str, str]]:
    """Return URN and verb of each operation that a diagnostic says an earlier run was cut off at."""
    return _CUT_OFF.findall(text)
