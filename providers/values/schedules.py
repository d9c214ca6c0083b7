"""Schedules of tasks: recurrence rules of RFC 5545, and local times in a time zone.

Values are normalised, so that another notation of the same value is not a difference.
"""

from __future__ import annotations

import re
from datetime import datetime

from tenantry.providers.qlik.errors import ConfigurationError
from tenantry.providers.values.days import zone_of, zone_problem
from tenantry.providers.values.limits import Limits

FREQUENCIES = ("MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PART = (
    r"FREQ=(MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)|INTERVAL=[1-9]\d{0,4}|COUNT=[1-9]\d{0,5}"
    r"|UNTIL=\d{8}(T\d{6}Z?)?|WKST=(MO|TU|WE|TH|FR|SA|SU)"
    r"|BYDAY=([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU))*"
    r"|(BYSECOND|BYMINUTE|BYHOUR|BYMONTHDAY|BYYEARDAY|BYWEEKNO|BYMONTH|BYSETPOS)=[+-]?\d{1,4}(,[+-]?\d{1,4})*"
)
"""A part of a rule. Qlik does not say how often a task may run, but SECONDLY is too often for a reload."""

NAMES = (
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYSECOND", "BYMINUTE", "BYHOUR"),
    *("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS"),
)
_EXAMPLE = "for example FREQ=DAILY;BYHOUR=6;BYMINUTE=0"
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(:\d{2})?")


def recurrence(text: str) -> str:
    """Return the normal form of a rule: upper case, FREQ first, the other parts sorted by name."""
    bare = re.sub(r"^RRULE:", "", "".join(text.split()).upper())
    return ";".join(sorted(filter(None, bare.split(";")), key=lambda part: (part[:5] != "FREQ=", part)))


def recurrence_problem(text: str) -> str | None:
    """Return what is wrong with a rule. None if it is valid."""
    if not text:
        return None
    names = []
    for part in recurrence(text).split(";"):
        name = part.partition("=")[0]
        names.append(name)
        if name in ("DTSTART", "DTEND"):
            return f"{name} is not allowed in a recurrence; set starts_at and ends_at"
        if name not in NAMES:
            return f'"{name[:40]}" is not a part of a recurrence rule (RFC 5545); {_EXAMPLE}'
        if not re.fullmatch(PART, part):
            return f'"{part[:60]}" is not allowed in a recurrence rule (RFC 5545); {_EXAMPLE}'
    if names[0] != "FREQ":
        return f"FREQ is required, one of {', '.join(FREQUENCIES)}; {_EXAMPLE}"
    if repeated := next((name for name in names if names.count(name) > 1), ""):
        return f"{repeated} occurs twice; join the values with a comma"
    return None


def moment(text: str) -> str:
    """Return the normal form of a local time, which includes seconds."""
    found = _MOMENT.fullmatch(text.strip())
    return f"{found[1]}{found[2] or ':00'}" if found else text


def moment_problem(text: str) -> str | None:
    """Return what is wrong with a local time. None if it is valid."""
    try:
        if not text:
            return None
        if _MOMENT.fullmatch(text):
            datetime.fromisoformat(text)
            return None
    except ValueError:
        pass
    return f'"{text[:40]}" is not a local time; write it in quotes, as "2026-12-31T06:00", without an offset'


def local_moment(text: str, zone: str) -> str:
    """Convert a time from Qlik, which may have an offset, to local time in a time zone.

    A text that is not a time is returned unchanged.
    """
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            time = time.astimezone(zone_of(zone))
        return time.replace(tzinfo=None, microsecond=0).isoformat()
    except (ValueError, ConfigurationError):
        return text


RECURRENCE = Limits("a recurrence rule of RFC 5545", {}, recurrence_problem)
TIME_ZONE = Limits("a time zone of the IANA database, such as Europe/Berlin", {}, zone_problem)
MOMENT = Limits("a local time such as 2026-12-31T06:00", {}, moment_problem)
