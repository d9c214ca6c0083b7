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
        return sorted(map(str, map(_normalised, one))) == sorted(map(str, map(_normalised, other)))
    return isinstance(one, str) and isinstance(other, str) and _normalised(one) == _normalised(other)


def alike(one: str, other: str) -> bool:
    """Tell whether two different texts look the same, or nearly the same."""
    return one != other and _visible(one) == _visible(other)


def spelled(text: str) -> str:
    """Return a text in quotes. Its non-ASCII characters are escaped."""
    return json.dumps(text)


def blank_around(text: str) -> str:
    """Return which end of a text has an invisible blank: "begins", "ends", or an empty string."""
    if text != text.lstrip(_INVISIBLE):
        return "begins"
    return "ends" if text != text.rstrip(_INVISIBLE) else ""


_ZERO_WIDTH = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_INVISIBLE = f" \t\r\n\u00a0\u2007\u202f{_ZERO_WIDTH}"


def _visible(text: str) -> str:
    from unicodedata import normalize

    with_width = "".join(char for char in normalize("NFKC", text) if char not in _ZERO_WIDTH)
    return " ".join(with_width.split())


def _normalised(value: Any) -> Any:
    from unicodedata import normalize  # slow to import, and rarely needed

    if not isinstance(value, str):
        return value
    return "\n".join(line.rstrip() for line in normalize("NFC", value).strip().splitlines())
