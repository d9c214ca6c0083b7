"""The engine's event log of one run: its steps, messages and errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tenantry.fleet.outcome import Change, Difference, Operation
from tenantry.providers.framework.facts import Fact, TenantDeactivated, deactivated_message
from tenantry.providers.framework.facts import read as read_facts
from tenantry.providers.values import tokens
from tenantry.providers.values.words import counted
from tenantry.pulumi_internals import event_log
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tenantry.pulumi_internals.unknown_values import PLACEHOLDER

PROTECT = "protect"
"""The property in a difference if the protection of a resource from deletion has changed."""

RELEASE_ENTITLEMENTS = "release_entitlements"
"""The property in a difference if a deactivated tenant first releases the entitlements of its users."""

_ENGINE_TYPES = ("pulumi:pulumi:Stack", "pulumi:providers:")
_PROPERTY = re.compile(r'^(?:\["([^"]+)"\]|([^.\[]+))')


@dataclass(frozen=True)
class LoggedError:
    """An error of a run: its text, its resource, such as "Space Sales", and the facts in it."""

    text: str
    resource: str = ""
    facts: tuple[Fact, ...] = ()


UNFINISHED_REPLACEMENT = "an unfinished replacement"
"""The reason for a delete: an earlier run created the replacement of the resource and did not finish."""


@dataclass
class Log:
    """The steps and messages of a run, possibly incomplete. `done`: the engine has written its summary.

    `facts` come from the providers, except for the facts of errors. `remarks` are lines for people.
    `planned`: the run ended in its preview. `registered` are the URNs of the program's resources. `deleting`:
    the engine has reached the deletes. `cut_off` are the URNs at which an earlier run was cut off.
    """

    changes: list[Change] = field(default_factory=list)
    drift: list[Change] = field(default_factory=list)
    same: int = 0
    errors: list[LoggedError] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    done: bool = False
    planned: bool = False
    replaced: set[str] = field(default_factory=set)
    left_over: list[str] = field(default_factory=list)
    cut_off: list[str] = field(default_factory=list)
    registered: set[str] = field(default_factory=set)
    deleting: bool = False


def read(path: Path) -> Log:
    """Read an event log. Skips an incomplete last line, which a killed run may leave."""
    log = Log()
    for event in event_log.read(path):
        _take(log, event)
    for urn in log.left_over:
        if urn not in log.replaced:
            log.changes.append(Change("delete", *_kind_and_name(urn), because=(UNFINISHED_REPLACEMENT,)))
    redundant = {line for fact in log.facts for line in _repeated_lines(fact)}
    lines = [line.strip() for line in "\n".join(log.remarks).splitlines()]
    log.remarks = [line for line in lines if line and line not in redundant]
    return log


def _repeated_lines(fact: Fact) -> list[str]:
    """Return the log lines that repeat a fact. A report shows the fact instead of these lines."""
    if not isinstance(fact, TenantDeactivated):
        return []
    text = deactivated_message(fact.hostname, fact.tenant_id, fact.purge_on)
    return [line.strip() for line in text.splitlines()]


def _take(log: Log, event: Mapping[str, Any]) -> None:
    if done_event := event.get(event_log.DONE):
        log.planned = bool(done_event.get("planning"))
        _take_step(log, done_event["metadata"])
    elif begun_event := event.get(event_log.BEGUN):
        step = begun_event["metadata"]
        log.deleting = log.deleting or step["op"] == "delete"
        if step.get("new"):
            log.registered.add(step["urn"])
    elif message_event := event.get(event_log.MESSAGE):
        facts, text = read_facts(message_event["message"].strip())
        text, urn = text.strip(), message_event.get("urn", "")
        if message_event["severity"] == "error":
            resource = "" if is_engine_resource(urn) else short_name(urn)
            log.errors.append(LoggedError(text, resource, tuple(facts)))
        elif text.startswith(event_log.PENDING):
            for urn, verb in event_log.cut_off(text):
                log.cut_off.append(urn)
                log.remarks.append(f"an earlier run was cut off while {verb} {short_name(urn)}")
        elif not message_event.get("ephemeral"):
            log.facts += facts
            log.remarks += [text] if text else []
    elif event.get(event_log.SUMMARY):
        log.done = True


def _take_step(log: Log, step: Mapping[str, Any]) -> None:
    if is_engine_resource(step["urn"]):
        return
    if step["op"] == "delete-replaced":
        log.left_over.append(step["urn"])
    if step["op"] in event_log.HALVES:
        return
    if step["op"] == "replace":
        log.replaced.add(step["urn"])
    if step["op"] == "same":
        if protected := _protection(step):
            log.changes.append(Change("update", *_kind_and_name(step["urn"]), (protected,)))
        else:
            log.same += 1
    elif step["op"] == "refresh":
        if change := _drift(step):
            log.drift.append(change)
    elif step["op"] not in event_log.WITHOUT_CHANGE:
        log.changes.append(_change(step))


def _drift(step: Mapping[str, Any]) -> Change | None:
    """Return the drift of a resource, which is gone or differs. Returns None if there is no drift."""
    kind, name = _kind_and_name(step["urn"])
    if not step.get("new"):
        return Change("delete", kind, name)
    differences = tuple(_differences(kind, step))
    return Change("update", kind, name, differences) if differences else None


def _change(step: Mapping[str, Any]) -> Change:
    kind, name = _kind_and_name(step["urn"])
    differences = () if step["op"] in ("create", "delete") else tuple(_differences(kind, step))
    revived = _inputs(step, "new").get("revive") if step["op"] == "create" else None
    if isinstance(revived, dict):
        differences = (Difference("revive", None, revived.get("hostname")),)
    if step["op"] == "delete" and _inputs(step, "old").get(RELEASE_ENTITLEMENTS) is True:
        differences = (Difference(RELEASE_ENTITLEMENTS, True, None),)
    return Change(step["op"], kind, name, differences, tuple(step.get("keys") or ()))


def _differences(kind: str, step: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield one difference for each property, including nested values, and one for the protection."""
    if protected := _protection(step):
        yield protected
    old, new = (_inputs(step, side) for side in ("old", "new"))
    paths = list(step.get("detailedDiff") or step.get("diffs") or _changed_names(old, new))
    for name in dict.fromkeys(map(_property, paths)):
        if name in references(kind):
            # Ids differ for each customer and do not help the reader.
            yield Difference(name)
        else:
            yield Difference(name, _value(old.get(name)), _value(new.get(name)))


def _protection(step: Mapping[str, Any]) -> Difference | None:
    """Return the difference if the protection from deletion was switched on or off.

    The engine does not report this as a change.
    """
    if not (step.get("old") and step.get("new")):
        return None
    old, new = (bool(step[side].get("protect")) for side in ("old", "new"))
    return Difference(PROTECT, old, new) if old != new else None


def _inputs(step: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    return (step.get(side) or {}).get("inputs") or {}


def _changed_names(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the values that differ. The events of a refresh do not list them."""
    return (name for name in {**old, **new} if name != PROVIDER_KEY and old.get(name) != new.get(name))


def _property(path: str) -> str:
    match = _PROPERTY.match(path)
    return (match[1] or match[2]) if match else path


def _value(value: Any) -> Any:
    return None if value == PLACEHOLDER else value


@cache
def references(kind: str) -> frozenset[str]:
    """Return the properties of a resource type that contain the id of another resource."""
    import tenantry.providers

    resource_type = tenantry.providers.resource_types().get(kind)
    return (
        frozenset(field.name for field in resource_type.inputs() if field.reference)
        if resource_type
        else frozenset()
    )


def is_engine_resource(urn: str) -> bool:
    """Tell whether a URN is the stack, a component or a default provider. None of them exists at Qlik."""
    kind = _type(urn)
    return kind.startswith((*_ENGINE_TYPES, tokens.COMPONENTS))


def short_name(urn: str) -> str:
    """Return type and name of a resource, such as "Space Sales", or an empty string without a URN."""
    return " ".join(_kind_and_name(urn)) if urn else ""


def _kind_and_name(urn: str) -> tuple[str, str]:
    return _type(urn).rpartition(":")[2], urn.split("::", 3)[-1]


def _type(urn: str) -> str:
    parts = urn.split("::", 3)
    return parts[2].rpartition("$")[2] if len(parts) > 2 else ""


class StepsInFlight:
    """The running steps of a run, read from its log line by line. `activity` is shown first."""

    def __init__(self, activity: str) -> None:
        self.activity, self.done = activity, 0
        self._steps: dict[str, str] = {}
        self.begun = self.planning = False

    def take(self, lines: Iterable[str]) -> None:
        """Read more lines of the log."""
        for line in lines:
            name = next((kind for kind in event_log.STEP_EVENTS if f'"{kind}"' in line), None)
            if name is None:
                continue
            with suppress(ValueError):
                if step := event_log.event(line).get(name):
                    self._take(name, step)

    def _take(self, name: str, event: Mapping[str, Any]) -> None:
        step = event["metadata"]
        if is_engine_resource(step["urn"]):
            return
        if self.planning and not event.get("planning"):
            self._steps.clear()
            self.done = 0
        self.begun, self.planning = True, bool(event.get("planning"))
        if name != event_log.BEGUN:
            self._steps.pop(step["urn"], None)
            self.done += 1
        elif step["op"] != "same":
            self._steps[step["urn"]] = STEP_ACTIONS.get(step["op"], step["op"])

    @property
    def text(self) -> str:
        """The progress as text: "updating, 3 resources: create Group Analysts (+2)".

        It contains the operation, the number of finished resources, the oldest running step, and how many
        other steps are running.
        """
        if not self.begun:
            return self.activity if self.activity == PREVIEWING else "starting"
        done_text = f", {counted(self.done, 'resource')}" if self.done else ""
        if self.planning:
            return f"{PREVIEWING}{done_text}"
        if not self._steps:
            return f"{self.activity}{done_text}"
        urn, verb = next(iter(self._steps.items()))
        others = len(self._steps) - 1
        return f"{self.activity}{done_text}: {verb} {short_name(urn)}{f' (+{others})' if others else ''}"


PREVIEWING = "previewing"
ACTIVITY: Mapping[Operation, str] = {
    "preview": PREVIEWING,
    "up": "updating",
    "refresh": "refreshing",
    "destroy": "deleting",
}
"""The word for each operation in the live display."""

STEP_ACTIONS = {"create-replacement": "create", "delete-replaced": "delete", "refresh": "read"}
"""The words for the engine's steps that have other names."""
