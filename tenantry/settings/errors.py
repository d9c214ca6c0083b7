"""Errors in settings, with one line per problem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tenantry.errors import TenantryError
from tenantry.providers.values.words import counted
from tenantry.text import for_line

_HEADING = "in the settings of"
_PROBLEM_LINE = re.compile(r"(?P<place>\S+?\.ya?ml(?::\d+)?): (?P<text>.+)")


@dataclass(frozen=True, order=True)
class Problem:
    """One problem: file, line (from 1; 0 = not known), path of keys, and the error with its fix."""

    file: str
    line: int
    path: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return for_line(": ".join(part for part in (place, self.path, self.text) if part))


class SettingsError(TenantryError):
    """Invalid settings. `problems` has all problems, in the order of files and lines."""

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        lines = [
            for_line(f"{counted(count, 'problem')} {_HEADING} {subject}:"),
            *map(str, self.problems),
        ]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[SettingsError], tuple[str, tuple[Problem, ...]]]:
        """Support pickling: the message alone is not enough to create the error again."""
        return type(self), (self.subject, self.problems)


def parse_problems(text: str) -> list[tuple[str, str]]:
    """Return place and text of each problem in the text of a SettingsError.

    The place is empty for a line without one. Returns an empty list for any other text.
    """
    heading, *lines = text.splitlines() or [""]
    if not (heading.endswith(":") and _HEADING in heading):
        return []
    found = [(_PROBLEM_LINE.fullmatch(line), line) for line in lines]
    return [(placed["place"], placed["text"]) if placed else ("", line) for placed, line in found]
