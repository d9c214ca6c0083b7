"""Plain scalars of a YAML file, read as Pulumi's engine reads them.

The engine parses stack files with Go's yaml.v3 and passes the values on as JSON. Where that differs from
other YAML readers it matters here: `yes` stays text, `2.10` becomes 2.1, `007` becomes 7, and a date becomes
"2026-12-31 00:00:00 +0000 UTC". (Measured with `pulumi config --json`; the test does it again.)
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone

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
_ENGINE_INTEGERS = 1e21  # up to here Go writes a float without fraction as a JSON integer


def resolve(text: str) -> Scalar:
    """Return the value of the plain (unquoted) scalar `text`."""
    if text in _WORDS:
        return _WORDS[text]
    if not text[:1].isascii() or text[0] not in "+-.0123456789":
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
    return -value if sign == "-" else value


def _float(text: str) -> float | int | None:
    plain = text.replace("_", "")
    if not _FLOAT.fullmatch(plain):
        return None
    value = float(plain)
    if math.isinf(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _ENGINE_INTEGERS else value


def _time(text: str) -> str | None:
    found = _TIME.fullmatch(text)
    if not found or (found["zone"] and found["between"] == " "):
        return None
    year, month, day, _, *clock, fraction, zone = found.groups()
    hour, minute, second = (int(part or 0) for part in clock)
    offset = _offset(zone)
    try:
        moment = datetime(int(year), int(month), int(day), hour, minute, second, tzinfo=offset)
    except ValueError:
        return None
    digits = (fraction or "").rstrip("0")
    name = "UTC" if offset == UTC else f"{moment:%z}"
    return f"{moment:%Y-%m-%d %H:%M:%S}{'.' * bool(digits)}{digits} {moment:%z} {name}"


def _offset(zone: str | None) -> timezone:
    if zone is None or zone == "Z":
        return UTC
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return timezone(-size if zone[0] == "-" else size)
