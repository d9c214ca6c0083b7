"""Task schedules: recurrence rules of RFC 5545 in a time zone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulebase, rrulestr

RULE = re.compile(r"(?:RRULE:)?FREQ=(MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)(?:;[A-Z]+=[A-Z0-9,+-]+)*")
STEP = {"MINUTELY": timedelta(minutes=1), "HOURLY": timedelta(hours=1)}
MAX_AGE = timedelta(days=3660)
"""The largest age of a schedule's start. Each occurrence since the start is computed."""

Schedule = dict[str, Any]


def find_problem(schedule: Schedule, now: float) -> str:
    """Return the problem of a schedule; empty if the schedule is valid."""
    try:
        zone = _zone(schedule)
        start, end = (_moment(schedule.get(name), zone) for name in ("startDateTime", "endDateTime"))
        today = datetime.fromtimestamp(now, zone).replace(tzinfo=None)
        if not isinstance(schedule.get("recurrence"), str):
            return "recurrence is missing"
        if start and today - start > MAX_AGE:
            return "startDateTime is more than ten years ago"
        if end and (end <= today or (start and end <= start)):
            return "endDateTime is in the past, or not after startDateTime"
        _rule(schedule["recurrence"], start or today, today).after(today)
    except (ValueError, KeyError, OSError, TypeError, OverflowError, AttributeError, IndexError):
        return "recurrence, timezone, startDateTime or endDateTime is invalid"
    return ""


def next_after(schedule: Schedule, moment: float) -> float | None:
    """Return the first occurrence of a schedule after a moment, or None."""
    if not schedule:
        return None
    zone = _zone(schedule)
    begin, end = (_moment(schedule.get(name), zone) for name in ("startDateTime", "endDateTime"))
    after = datetime.fromtimestamp(moment, zone).replace(tzinfo=None)
    found = _rule(schedule["recurrence"], begin or after, after).after(after)
    if found is None or (end and found > end):
        return None
    return float(found.replace(tzinfo=zone).timestamp())


def last_until(schedule: Schedule, due: float, now: float) -> float:
    """Return the last occurrence of a schedule up to now. `due` is an occurrence of it."""
    zone = _zone(schedule)
    begin, end = (_moment(schedule.get(name), zone) for name in ("startDateTime", "endDateTime"))
    until = datetime.fromtimestamp(now, zone).replace(tzinfo=None)
    found = _rule(schedule["recurrence"], begin or until, until).before(min(until, end or until), inc=True)
    return float(found.replace(tzinfo=zone).timestamp()) if found else due


def _zone(schedule: Schedule) -> ZoneInfo:
    return ZoneInfo(schedule.get("timezone") or "UTC")


def _moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    """Return a time in the zone's local time, in whole seconds."""
    if not text:
        return None
    parsed = datetime.fromisoformat(text)
    local = parsed.astimezone(zone) if parsed.tzinfo else parsed
    return local.replace(tzinfo=None, microsecond=0)


def _rule(text: str, start: datetime, near: datetime) -> rrulebase:
    """Return the rule, prepared for times near `near`."""
    found = RULE.fullmatch(text)
    if found is None or re.search(r"INTERVAL=0*(?:;|$)", text):
        raise ValueError("not a recurrence rule")
    step = STEP.get(found[1])
    if step and "COUNT" not in text:  # each occurrence is computed from the start, which may be years ago
        interval = re.search(r"INTERVAL=(\d+)", text)
        step *= int(interval[1]) if interval else 1
        start += max(0, (near - timedelta(days=2) - start) // step) * step
    rule = rrulestr(text, dtstart=start)
    if not isinstance(rule, rrule):
        raise TypeError("not one rule")
    return rule
