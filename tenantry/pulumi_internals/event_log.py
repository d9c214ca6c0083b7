"""The engine's event log, `--event-log FILE`.

Relies on: one line of JSON per event, written when it happens. Each has one of these keys:

resourcePreEvent   a step starts: `metadata`, `planning`
resOutputsEvent    a step has succeeded: the same
resOpFailedEvent   a step has failed: the same
diagnosticEvent    a message: `severity`, `message`, `urn`, `ephemeral`
summaryEvent       the end of the run

`metadata` has `op`, `urn`, `keys`, `diffs`, `detailedDiff`, and `old` and `new` with `inputs` and `protect`.
A replacement has three steps: `create-replacement`, `replace`, `delete-replaced`. A refresh shows differences
only in `old` and `new`. Unfinished operations of an earlier run are in a diagnostic that starts with
`PENDING`.

Verified with: CLI 3.259.0.

When it breaks: reports miss changes, because unknown events are skipped, or count them twice. If a run fails
without an error in its log, the report shows the output of the command.
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
MESSAGE = "diagnosticEvent"
SUMMARY = "summaryEvent"

HALVES = ("create-replacement", "delete-replaced")
"""The two halves of a replacement, beside the step `replace`."""

WITHOUT_CHANGE = ("read", "read-discard", "discard-replaced", "remove-pending-replace")
"""Steps that do not change the resource."""

PENDING = "Attempting to deploy or update resources with"
_CUT_OFF = re.compile(r"\* (urn:\S.*?), interrupted while (\w+)")
_DEBUG = '"severity":"debug"'


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a log without debug messages. Stops at a partly written line."""
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
    """Return the event of a line; `{}` if it does not have the keys above in the expected form.

    Raises ValueError if the line is not JSON, for example because it is partly written.
    """
    try:
        found = json.loads(line)
    except RecursionError:
        return {}
    is_valid = isinstance(found, dict) and all(
        _VALID[key](found[key]) for key in _VALID.keys() & found.keys()
    )
    return found if is_valid else {}


def _is_step(value: Any) -> bool:
    step = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(step, dict) or not all(isinstance(step.get(name), str) for name in ("op", "urn")):
        return False
    states = [step.get(side) or {} for side in ("old", "new")]
    objects = [*states, step.get("detailedDiff") or {}]
    lists = [step.get(name) or [] for name in ("keys", "diffs")]
    return (
        all(isinstance(item, dict) for item in objects)
        and all(isinstance(state.get("inputs") or {}, dict) for state in states)
        and all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists)
    )


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name, default), str)
        for name, default in (("severity", None), ("message", None), ("urn", ""))
    )


_VALID = dict.fromkeys(STEP_EVENTS, _is_step) | {MESSAGE: _is_message}


def cut_off(text: str) -> list[tuple[str, str]]:
    """Return URN and verb of each unfinished operation of an earlier run in a diagnostic."""
    return _CUT_OFF.findall(text)
