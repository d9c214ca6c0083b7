"""Comparison of texts that another system may have normalised."""

from __future__ import annotations

import json
from typing import Any


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, or are texts (or lists of texts) without a visible difference.

    These differences are ignored: blanks at either end, blanks at the end of a line, line ends, and Unicode
    normalisation (NFC and NFD). Qlik does not say which of these it preserves.
    """
    if one == other:
        return True
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, map(_read, one))) == sorted(map(str, map(_read, other)))
    return isinstance(one, str) and isinstance(other, str) and _read(one) == _read(other)


def alike(one: str, other: str) -> bool:
    """Tell whether two different texts look the same, or nearly the same."""
    return one != other and _seen(one) == _seen(other)


def spelled(text: str) -> str:
    """Return a text in quotes with non-ASCII characters escaped."""
    return json.dumps(text)


def blank_around(text: str) -> str:
    """Return which end of a text has an invisible blank: "begins", "ends", or an empty string."""
    return "begins" if text != text.lstrip(_UNSEEN) else "ends" if text != text.rstrip(_UNSEEN) else ""


_WITHOUT_WIDTH = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_UNSEEN = f" \t\r\n\u00a0\u2007\u202f{_WITHOUT_WIDTH}"


def _seen(text: str) -> str:
    from unicodedata import normalize

    with_width = "".join(char for char in normalize("NFKC", text) if char not in _WITHOUT_WIDTH)
    return " ".join(with_width.split())


def _read(value: Any) -> Any:
    from unicodedata import normalize  # slow to import, and rarely needed

    if not isinstance(value, str):
        return value
    return "\n".join(line.rstrip() for line in normalize("NFC", value).strip().splitlines())
