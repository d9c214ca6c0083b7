"""The findings of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenantry.settings.document import Keys
from tenantry.settings.errors import Problem
from tenantry.settings.sources import Sources

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One finding: its level, its subject, its text, and the line of a file if it is about one.

    `pulumi up` fails because of an `error`, but not because of a `warning`.
    """

    level: Level
    about: str
    text: str
    place: Problem | None = None

    def __str__(self) -> str:
        return str(self.place or self.text)


def at(sources: Sources, keys: Keys, level: Level, about: str, text: str) -> Finding:
    """Return a finding about the value at `keys`, with its file and line."""
    return Finding(level, about, text, sources.problem(keys, text))
