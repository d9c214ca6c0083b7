"""Single lines of a report. Each is the text for one change, error or remark in any number of stacks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.fleet.events import PROTECT, RELEASE_ENTITLEMENTS
from tenantry.fleet.outcome import Change, Difference, Outcome, Trouble
from tenantry.fleet.report.words import DRY_OPERATIONS, shortened, value
from tenantry.providers.values.words import counted
from tenantry.text import on_one_line

SETTING = "setting"
"""The `kind` of changes in files. Only a preview knows whether such a change deletes a resource."""

MAX_LINE_CHARACTERS = 1000
MAX_DIFFERENCES = 6

CONSEQUENCES = {
    ("delete", "AppPublication"): "this deletes what users created in it",
    ("replace", "AppPublication"): "this deletes what users created in it",
    ("delete", "TenantLifecycle"): "this deactivates the tenant",
    ("replace", "TenantLifecycle"): "this deactivates the tenant",
    ("create", "TenantActivation"): "an earlier destroy was interrupted; this reactivates the tenant",
    ("delete", "Tenant"): "this deletes everything of the customer",
    ("replace", "Tenant"): "this deletes everything of the customer",
}

# The parts of an error that differ for each customer: the tenant, ids, and the trace of a request.
_PER_CUSTOMER = (
    (re.compile(r"(?<!\s)\s*\(traceId [\w-]+\)"), ""),
    (re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) [\w.:-]+(?=/)"), r"\1 …"),
    (re.compile(r"(?<![\w.-])[\w.-]+\.qlikcloud\.com\b"), "…"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{24}\b"), "…"),
)


@dataclass(frozen=True)
class Line:
    """A line of text, and the stacks to which it applies. `block` is a line for the reader to copy."""

    text: str
    stacks: tuple[str, ...]
    block: str = ""


class Lines:
    """A collection of lines. Stacks with the same text share a line."""

    def __init__(self) -> None:
        self._stacks: dict[tuple[str, str], dict[str, None]] = {}
        self._alone: dict[tuple[str, str], str] = {}

    def add(self, text: str, stack: str, change: Change | None = None, *, alone: str = "") -> None:
        """Add a stack to a line. `alone` is the text for a line with only one stack.

        Different changes have different lines, even if shortened values make their texts equal.
        """
        key = (text, repr(change.differences) if change else "")
        self._stacks.setdefault(key, {})[stack] = None
        self._alone.setdefault(key, alone or text)

    def all(self) -> list[Line]:
        """Return the lines, those with the most stacks first."""
        found = [
            Line(
                shortened(on_one_line(key[0] if len(stacks) > 1 else self._alone[key]), MAX_LINE_CHARACTERS),
                tuple(stacks),
            )
            for key, stacks in self._stacks.items()
        ]
        return sorted(found, key=lambda line: (-len(line.stacks), _natural(line.text), line.stacks))


def _natural(text: str) -> list[tuple[str, int]]:
    """Return a sort key that puts "line 7" before "line 11"."""
    return [(words, int(number or 0)) for words, number in re.findall(r"(\D*)(\d{0,9})", text)]


def change(item: Change) -> str:
    """Describe a change of a resource: "update Group Analysts: roles a, b → a"."""
    if item.kind == SETTING:
        return _setting(item)
    return _change_line(item, differences(item.differences))


def _setting(setting: Change) -> str:
    (found,) = setting.differences
    if setting.operation == "create":
        return f"{setting.name} added{f': {value(found.new)}' if found.new not in ('', None) else ''}"
    if setting.operation == "delete":
        return f"{setting.name} removed{f' (was: {value(found.old)})' if found.old not in ('', None) else ''}"
    return f"{setting.name}: {_values(found)}"


def danger(item: Change) -> str:
    """Describe a change of a resource and its consequence, if known."""
    consequence = CONSEQUENCES.get((item.operation, item.kind), "")
    if loses_protection(item):
        consequence = "it loses its protection from deletion"
    return _change_line(item, consequence, differences(item.differences))


def loses_protection(item: Change) -> bool:
    """Tell whether a resource loses its protection from deletion."""
    return any(difference.name == PROTECT and difference.old is True for difference in item.differences)


def _change_line(item: Change, *details: str) -> str:
    reason = f" (because of {', '.join(item.because)})" if item.because else ""
    return ": ".join([f"{item.operation} {item.resource}{reason}", *filter(None, details)])


def rollout(item: Change) -> str:
    """Describe the new version of an app: "Sales Overview 2.3.0 → 2.4.0"."""
    version = item.difference("version")
    rest = differences([difference for difference in item.differences if difference is not version])
    if version is None:
        return f"{item.name} imported again: {rest or ', '.join(item.because)}"
    older = " (older)" if _numbers(version.new) < _numbers(version.old) else ""
    step = f"{item.name} {value(version.old)} → {value(version.new)}{older}"
    return f"{step} ({rest})" if rest else step


def _numbers(version: object) -> list[int]:
    return list(map(int, re.findall(r"\d{1,9}", str(version))))


def drift(item: Change) -> str:
    """Describe the drift of a resource."""
    if item.operation == "delete":
        return f"{item.resource} is gone"
    if item.operation == "create":
        return f"{item.resource} is new"
    return f"{item.resource} differs: {differences(item.differences)}"


def differences(items: Sequence[Difference]) -> str:
    """Describe differences: "roles a, b → a; description x → y".

    A difference without values is shown by its name only.
    """
    shown = [_difference(difference) for difference in items[:MAX_DIFFERENCES]]
    more = len(items) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more else [])])


def _difference(item: Difference) -> str:
    return item.name if item.old is None and item.new is None else f"{item.name} {_values(item)}"


def _values(difference: Difference) -> str:
    return f"{value(difference.old)} → {value(difference.new)}"


def new_customer(outcome: Outcome, count: int) -> str:
    """Describe a new customer."""
    plan = f", plan {outcome.plan}" if outcome.plan else ""
    if revived := next((tenant for tenant in map(_revived, outcome.changes) if tenant), ""):
        return f"revives the tenant {revived} with everything in it{plan}"
    noun = "setting" if all(change.kind == SETTING for change in outcome.changes) else "resource"
    return f"{counted(count, noun)}{plan}"


def _revived(item: Change) -> str:
    """Return the hostname of a tenant that is revived and not created."""
    found = item.difference("revive") if item.operation == "create" and item.kind == "Tenant" else None
    return str(found.new) if found else ""


def taken_down(outcome: Outcome) -> str:
    """Describe the deactivation of a tenant, and the day of its purge."""
    verb = "would be" if outcome.operation in DRY_OPERATIONS else "is"
    until = f"; Qlik purges it on {outcome.purged_on}" if outcome.purged_on else ""
    number = counted(outcome.counts.get("delete", 0), "resource")
    releases = any(
        change.operation == "delete" and change.difference(RELEASE_ENTITLEMENTS) for change in outcome.changes
    )
    release = f"; {RELEASE_ENTITLEMENTS} is set for its users" if releases else ""
    return f"the tenant {verb} deactivated, with everything in it ({number}){release}{until}"


def trouble(error: Trouble, *, same_for_all: bool = False) -> str:
    """Return the text of an error. `same_for_all` leaves out the parts that differ for each customer."""
    text = error.line
    if error.code and error.code not in text:
        text = f"{text} [{error.code}]"
    if same_for_all:
        for pattern, replacement in _PER_CUSTOMER:
            text = pattern.sub(replacement, text)
        if error.trace_id:
            text = text.replace(error.trace_id, "…")
    return text
