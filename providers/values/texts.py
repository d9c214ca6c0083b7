"""When two texts say the same, although one of them has been through a system with a form of its own."""

from __future__ import annotations

from typing import Any


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, or texts, or lists of texts, that differ in nothing one can read.

    That is: in blanks at either end, in blanks at the end of a line, in how a line ends, and in whether a
    letter with an accent is one character or two (Unicode NFC and NFD). Qlik does not say which of these it
    keeps as they were sent.
    """
    if one == other:
        return True
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, map(_read, one))) == sorted(map(str, map(_read, other)))
    return isinstance(one, str) and isinstance(other, str) and _read(one) == _read(other)


def _read(value: Any) -> Any:
    from unicodedata import normalize  # rarely needed, and each run pays for what it imports

    if not isinstance(value, str):
        return value
    return "\n".join(line.rstrip() for line in normalize("NFC", value).strip().splitlines())
