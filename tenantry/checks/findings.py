"""What a check of stacks has to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenantry.settings.document import Keys
from tenantry.settings.errors import Problem
from tenantry.settings.sources import Sources

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is about, how it is, and the line of a file that says so, if any.

    A `warning` does not keep `pulumi up` from its work, an `error` does.
    """

    level: Level
    about: str
    text: str
    place: Problem | None = None

    def __str__(self) -> str:
        return str(self.place or self.text)


def at(sources: Sources, keys: Keys, level: Level, about: str, text: str) -> Finding:
    """Return a finding about the value at `keys`, told for the file and line that it is from."""
    return Finding(level, about, text, sources.problem(keys, text))
