"""The texts of reports for values, numbers and times."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tenantry.fleet.outcome import Operation, Outcome, Report
from tenantry.providers.values.words import counted
from tenantry.text import on_one_line

MAX_VALUE_CHARACTERS = 80
NONE = "(none)"

DRY_OPERATIONS: tuple[Operation, ...] = ("preview", "diff")
"""The operations that change nothing."""


def shortened(text: str, longest: int = MAX_VALUE_CHARACTERS) -> str:
    """Return the text, shortened to `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def value(raw: Any) -> str:
    """Return the text for a value, such as "a, b, c" for a list. For None it is "(none)"."""
    if raw is None:
        return NONE
    if isinstance(raw, list | tuple) and not any(isinstance(item, dict | list) for item in raw):
        text = ", ".join(map(_plain, raw)) or "(empty)"
    else:
        text = _plain(raw)
    return shortened(on_one_line(text)) or '""'


def _plain(raw: Any) -> str:
    return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)


def duration(seconds: float) -> str:
    """Return the text for a duration, such as "0.4 s", "12 s", "1 m 3 s" or "2 h 5 m"."""
    if seconds < 9.95:
        return f"{round(seconds, 1):g} s"
    rounded = round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        return f"{rounded // 60} m {rounded % 60} s"
    return f"{rounded // 3600:,} h {rounded % 3600 // 60} m"


def state(outcome: Outcome) -> str:
    """Return the state of a stack: its status or, for the status "ok", whether it has or needs changes."""
    if outcome.status != "ok":
        return outcome.status
    if outcome.changes:
        changed_state = "taken down" if outcome.operation == "destroy" else "changed"
        return "to change" if outcome.operation in DRY_OPERATIONS else changed_state
    unchanged = "the same" if outcome.operation == "diff" else "up to date"
    return "changed outside" if outcome.drift else unchanged


STATES = (
    "up to date",
    "the same",
    "changed",
    "taken down",
    "to change",
    "changed outside",
    "skipped",
    "not run",
    "interrupted",
    "failed",
)


NOTHING = "Nothing to do"


def no_changes(report: Report) -> str:
    """Return "Nothing to do: no change in 12 customers" for a report without changes.

    Returns an empty string if there are changes or failures. Skipped customers are not counted.
    """
    if report.removed or any(
        outcome.changes or outcome.drift or outcome.status not in ("ok", "skipped")
        for outcome in report.outcomes
    ):
        return ""
    same = sum(outcome.status == "ok" for outcome in report.outcomes)
    if not same and report.outcomes:
        return ""
    return f"{NOTHING}: no change in {counted(same, 'customer')}" if same else NOTHING


def states(outcomes: tuple[Outcome, ...]) -> dict[str, int]:
    """Return how many stacks are in each state, in the order of STATES."""
    counts = Counter(map(state, outcomes))
    return {name: counts[name] for name in STATES if counts[name]}


def totals(outcomes: tuple[Outcome, ...], seconds: float) -> str:
    """Return the numbers on one line: "12 stacks: 9 up to date, 2 changed, 1 failed in 1 m 3 s"."""
    numbers = ", ".join(f"{count:,} {name}" for name, count in states(outcomes).items())
    stacks = counted(len(outcomes), "stack")
    return f"{stacks}: {numbers} in {duration(seconds)}" if numbers else stacks
