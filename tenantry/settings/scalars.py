"""Plain scalars of a YAML file, read as Pulumi's engine reads them.

The engine parses stack files with Go's yaml.v3 and passes the values as JSON. That differs from other YAML
readers: `yes` stays text, `2.10` becomes 2.1, `007` becomes 7, and a date becomes
"2026-12-31 00:00:00 +0000 UTC". (Measured with `pulumi config --json`; the test does it again.)
"""

from __future__ import annotations

import math
import re
from datetime import datetime

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?P<between>[Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?(?P<zone>Z|[-+]\d\d:\d\d)?)?"
)
ENGINE_TIME = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2}) \d\d:\d\d:\d\d(\.\d+)? [-+]\d{4} \S+")
"""A date without quotes, as the engine writes it."""

_ENGINE_SMALLEST, _ENGINE_LARGEST = -(2**63), 2**63 - 1  # what stays an integer; beyond, it becomes a float
_LONGEST_NUMBER = 1000
_ENGINE_INTEGERS = 1e21  # up to here Go writes a float without fraction as a JSON integer


def resolve(text: str) -> Scalar:
    """Return the value of the plain (unquoted) scalar `text`."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    for reading in (_time, _integer, _float):
        value = reading(text)
        if value is not None:
            return value
    return text


def as_text(value: object) -> str:
    """Return a scalar as Go prints it: how the engine turns keys and top-level values into text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _integer(text: str) -> int | None:
    found = _INTEGER.fullmatch(text.replace("_", ""))
    if not found:
        return None
    sign, *digits = found.groups()
    value = next(int(d, base) for d, base in zip(digits, (16, 2, 8, 10), strict=True) if d)
    value = -value if sign == "-" else value
    return value if _ENGINE_SMALLEST <= value <= _ENGINE_LARGEST else None


def _float(text: str) -> float | int | None:
    plain = text.replace("_", "")
    if not _FLOAT.fullmatch(plain):
        return None
    value = float(plain)
    if math.isinf(value):
        return None
    return _printed(value) if value.is_integer() and abs(value) < _ENGINE_INTEGERS else value


def _printed(value: float) -> int:
    """Return the integer that Go prints for a whole float: the shortest digits that identify it."""
    mantissa, _, exponent = repr(value).partition("e")
    integer, _, fraction = mantissa.partition(".")
    return int(integer + fraction.ljust(int(exponent), "0")) if exponent else int(value)


def _time(text: str) -> str | None:
    found = _TIME.fullmatch(text)
    if not found or (found["zone"] and found["between"] == " "):
        return None
    year, month, day, _, *clock, fraction, zone = found.groups()
    hour, minute, second = (int(part or 0) for part in clock)
    offset = _offset(zone)
    try:
        moment = datetime(int(year), int(month), int(day), hour, minute, second)
    except ValueError:
        return None
    if offset is None:
        return None
    digits = (fraction or "").rstrip("0")
    name = "UTC" if offset == "+0000" else offset
    return f"{moment:%Y-%m-%d %H:%M:%S}{'.' * bool(digits)}{digits} {offset} {name}"


def _offset(zone: str | None) -> str | None:
    """Return an offset from UTC as Go prints it, or None. Go allows more offsets than Python."""
    hours, minutes = (0, 0) if zone is None or zone == "Z" else (int(zone[1:3]), int(zone[4:6]))
    if hours > 24 or minutes > 60:
        return None
    total = 60 * hours + minutes
    sign = "-" if zone and zone[0] == "-" and total else "+"
    return f"{sign}{total // 60:02}{total % 60:02}"
