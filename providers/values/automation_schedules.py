"""Schedules of automations, and checks of their values."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tenantry.providers.values.days import zone_problem
from tenantry.providers.values.limits import Limits

KEYS = ("start_at", "stop_at", "interval", "timezone")
MINUTE = 60
TIME_PATTERN = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$"


def time_problem(text: str) -> str | None:
    """Return what is wrong with a time of a schedule. None if it is valid."""
    try:
        datetime.fromisoformat(text)
        is_valid = re.fullmatch(TIME_PATTERN, text, re.ASCII) is not None
    except ValueError:
        is_valid = False
    if is_valid:
        return None
    return f'"{text}" is not a time; write it as "2026-12-31 06:00:00", without a time zone'


def interval_problem(seconds: int) -> str | None:
    """Return what is wrong with an interval. None if it is valid. Qlik rounds other values to minutes."""
    is_valid = seconds >= MINUTE and seconds % MINUTE == 0
    return None if is_valid else f"{seconds} seconds are not a number of whole minutes; an hour is 3600"


_TEXTS = {"start_at": time_problem, "stop_at": time_problem, "timezone": zone_problem}


def first_problem(schedules: list[dict[str, Any]]) -> str | None:
    """Return what is wrong with the first invalid schedule. None if all are valid."""
    return next((found for schedule in schedules if (found := _problem(schedule))), None)


def _problem(schedule: dict[str, Any]) -> str | None:
    for key, value in schedule.items():
        if key not in KEYS:
            return f"{key!r} is not a key of a schedule; known keys: {', '.join(KEYS)}"
        if type(value) is not (int if key == "interval" else str):
            return f"{key} of a schedule cannot be {value!r:.80}"
        check: Callable[[Any], str | None] = interval_problem if key == "interval" else _TEXTS[key]
        if problem := check(value):
            return problem
    return None


SCHEDULES = Limits("for each schedule: start_at, stop_at, interval, timezone", problem=first_problem)
