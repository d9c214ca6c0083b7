"""When two texts say the same, although one of them has been through a system with a form of its own."""

from __future__ import annotations

import json
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


def alike(one: str, other: str) -> bool:
    """Tell whether two different texts look the same, or nearly so, to who reads them."""
    return one != other and _seen(one) == _seen(other)


def spelled(text: str) -> str:
    """Return a text in quotes with an escape for each character that may not be what it looks like."""
    return json.dumps(text)


def blank_around(text: str) -> str:
    """Return which end of a text has a blank that nobody sees: "begins", "ends", or nothing."""
    return "begins" if text != text.lstrip(_UNSEEN) else "ends" if text != text.rstrip(_UNSEEN) else ""


_WITHOUT_WIDTH = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_UNSEEN = f" \t\r\n\u00a0\u2007\u202f{_WITHOUT_WIDTH}"


def _seen(text: str) -> str:
    from unicodedata import normalize

    with_width = "".join(each for each in normalize("NFKC", text) if each not in _WITHOUT_WIDTH)
    return " ".join(with_width.split())


def _read(value: Any) -> Any:
    from unicodedata import normalize  # rarely needed, and each run pays for what it imports

    if not isinstance(value, str):
        return value
    return "\n".join(line.rstrip() for line in normalize("NFC", value).strip().splitlines())
