"""Faults: rules that make requests fail or wait."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

NUMBERS = {"nth", "times", "status", "delay_ms", "done_after_ms", "probability"}
FLAGS = {"done", "hold", "drop_before", "drop_after", "truncate"}
TEXTS = {"host", "path", "method"}
OBJECTS = {"headers", "merge"}
MAX_NUMBER = 1e9
HEADER = re.compile(
    r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:([\x21-\x7e\xa0-\xff]([\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?)?"
)
EFFECTS = ({"status", "delay_ms", "done_after_ms", "merge"} | FLAGS) - {"done"}


@dataclass
class Fault:
    """One rule: the requests that it matches, and its effect on them.

    Attributes:
        rule: the keys as given. `host`, `path` (patterns with `*`) and `method` match requests. `nth` (only
            the nth match), `probability` (0..1) and `times` (at most this often) limit the hits. The effect
            is one or more of `status` with `body`, `headers` and `done`, `done_after_ms`, `delay_ms`,
            `hold`, `drop_before`, `drop_after`, `truncate`, `merge`.
        matched: the number of requests that matched host, path and method.
        hit: the number of requests that the fault affected.
    """

    rule: dict[str, Any]
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    matched: int = 0
    hit: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def strikes(self, method: str, host: str, path: str) -> bool:
        """Count a request if it matches. Return whether the fault affects it."""
        rule = self.rule
        if not (
            fnmatchcase(host, rule.get("host", "*").lower())
            and fnmatchcase(path, rule.get("path", "*"))
            and method == rule.get("method", method).upper()
        ):
            return False
        self.matched += 1
        if self.hit >= rule.get("times", self.hit + 1) or self.matched != rule.get("nth", self.matched):
            return False
        if random.random() >= rule.get("probability", 1):  # noqa: S311 - chance, not secrecy
            return False
        self.hit += 1
        return True

    def view(self) -> dict[str, Any]:
        """Return the rule with its id and its counts."""
        return {"id": self.id, **self.rule, "matched": self.matched, "hit": self.hit}


class Faults:
    """The active rules, in the order of their creation. The first rule that strikes affects the request."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def add(self, rule: dict[str, Any]) -> Fault:
        """Activate a rule.

        Raises:
            ValueError: a key is unknown, a value has the wrong type, or the rule has no effect.
        """
        _check(rule)
        fault = Fault(rule)
        self._faults[fault.id] = fault
        return fault

    def strike(self, method: str, host: str, path: str) -> Fault | None:
        """Return the fault that affects a request, if any."""
        return next((fault for fault in self._faults.values() if fault.strikes(method, host, path)), None)

    def remove(self, fault_id: str) -> bool:
        """Remove a rule and release the requests that it holds. Return False if the id is unknown."""
        fault = self._faults.pop(fault_id, None)
        if fault:
            fault.released.set()
        return fault is not None

    def clear(self) -> None:
        """Remove all rules."""
        for fault_id in list(self._faults):
            self.remove(fault_id)

    def view(self) -> list[dict[str, Any]]:
        """Return all rules with their counts."""
        return [fault.view() for fault in self._faults.values()]


def _check(rule: dict[str, Any]) -> None:
    kinds: dict[str, Any] = dict.fromkeys(NUMBERS, int | float) | {"body": object}
    kinds |= dict.fromkeys(FLAGS, bool) | dict.fromkeys(TEXTS, str) | dict.fromkeys(OBJECTS, dict)
    for name, value in rule.items():
        if name not in kinds:
            raise ValueError(f"unknown key {name!r}. The keys of a fault are {', '.join(sorted(kinds))}")
        is_valid = isinstance(value, kinds[name]) and (name not in NUMBERS or _is_amount(value))
        if not is_valid:
            raise ValueError(f"{name} has a value of the wrong type")
    if not all(_is_header(name, value) for name, value in rule.get("headers", {}).items()):
        raise ValueError("headers has a name or value that is not allowed in HTTP")
    if not EFFECTS & set(rule):
        raise ValueError(f"a fault needs an effect: {', '.join(sorted(EFFECTS))}")
    if "status" in rule and not (isinstance(rule["status"], int) and 200 <= rule["status"] <= 599):
        raise ValueError("status must be 200 to 599")
    if "done_after_ms" in rule and (rule.get("done") or rule.get("drop_before")):
        raise ValueError("done_after_ms cannot be combined with done or drop_before")
    if rule.get("done") and "status" not in rule:
        raise ValueError("done needs a status. To execute a request without a response, use drop_after")


def _is_amount(value: Any) -> bool:
    return not isinstance(value, bool) and 0 <= value < MAX_NUMBER


def _is_header(name: str, value: Any) -> bool:
    return isinstance(value, str) and bool(HEADER.fullmatch(f"{name}:{value}"))
