"""Things going wrong on request."""

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
LARGEST = 1e9
HEADER = re.compile(
    r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:([\x21-\x7e\xa0-\xff]([\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?)?"
)
EFFECTS = ({"status", "delay_ms", "done_after_ms", "merge"} | FLAGS) - {"done"}


@dataclass
class Fault:
    """One rule: which requests, and what happens to them.

    Attributes:
        rule: as given: `host`, `path` (patterns with `*`), `method`; `nth` (only the nth match) or
            `probability` (0..1); `times` (at most so often); and one or more of `status` with `body`,
            `headers` and `done`, `done_after_ms`, `delay_ms`, `hold`, `drop_before`, `drop_after`,
            `truncate`, `merge`.
        matched: requests that fitted host, path and method.
        hit: requests that it happened to.
    """

    rule: dict[str, Any]
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    matched: int = 0
    hit: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def strikes(self, method: str, host: str, path: str) -> bool:
        """Whether it happens to this request; counts it."""
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
        """The rule with its id and its counts."""
        return {"id": self.id, **self.rule, "matched": self.matched, "hit": self.hit}


class Faults:
    """The rules in force, in the order they were given; the first that strikes is the one that happens."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def add(self, rule: dict[str, Any]) -> Fault:
        """Put a rule in force.

        Raises:
            ValueError: an unknown key, a value of the wrong kind, or no effect.
        """
        _check(rule)
        fault = Fault(rule)
        self._faults[fault.id] = fault
        return fault

    def strike(self, method: str, host: str, path: str) -> Fault | None:
        """The fault that happens to a request, if any."""
        return next((fault for fault in self._faults.values() if fault.strikes(method, host, path)), None)

    def remove(self, fault_id: str) -> bool:
        """Take a rule out of force and let go of what it holds; False when there is no such rule."""
        fault = self._faults.pop(fault_id, None)
        if fault:
            fault.released.set()
        return fault is not None

    def clear(self) -> None:
        """Take all out of force."""
        for fault_id in list(self._faults):
            self.remove(fault_id)

    def view(self) -> list[dict[str, Any]]:
        """All rules with their counts."""
        return [fault.view() for fault in self._faults.values()]


def _check(rule: dict[str, Any]) -> None:
    kinds: dict[str, Any] = dict.fromkeys(NUMBERS, int | float) | {"body": object}
    kinds |= dict.fromkeys(FLAGS, bool) | dict.fromkeys(TEXTS, str) | dict.fromkeys(OBJECTS, dict)
    for name, value in rule.items():
        if name not in kinds:
            raise ValueError(f"unknown key {name!r}; a fault has {', '.join(sorted(kinds))}")
        is_right = isinstance(value, kinds[name]) and (name not in NUMBERS or _is_amount(value))
        if not is_right:
            raise ValueError(f"{name} has the wrong kind of value")
    if not all(_is_header(name, value) for name, value in rule.get("headers", {}).items()):
        raise ValueError("headers has a name or value that no answer can have")
    if not EFFECTS & set(rule):
        raise ValueError(f"a fault needs an effect: {', '.join(sorted(EFFECTS))}")
    if "status" in rule and not (isinstance(rule["status"], int) and 200 <= rule["status"] <= 599):
        raise ValueError("status must be 200 to 599")
    if "done_after_ms" in rule and (rule.get("done") or rule.get("drop_before")):
        raise ValueError("done_after_ms excludes done and drop_before")
    if rule.get("done") and "status" not in rule:
        raise ValueError("done needs a status to answer with; drop_after is done without an answer")


def _is_amount(value: Any) -> bool:
    return not isinstance(value, bool) and 0 <= value < LARGEST


def _is_header(name: str, value: Any) -> bool:
    return isinstance(value, str) and bool(HEADER.fullmatch(f"{name}:{value}"))
