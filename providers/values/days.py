"""The last day of a trial, in a time zone. The trial ends at the end of that day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from tenantry.providers.qlik.errors import ConfigurationError

DEFAULT_ZONE = "UTC"
_NAME = re.compile(r"UTC|[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){1,2}")


@dataclass(frozen=True)
class LastDay:
    """A day in a time zone of the IANA database, such as `Europe/Berlin`."""

    day: date
    zone: str = DEFAULT_ZONE

    @classmethod
    def parse(cls, text: str) -> LastDay:
        """Parse a text that `str` returned: `2026-12-31`, or `2026-12-31 Europe/Berlin`."""
        day, _, zone = text.partition(" ")
        return cls(date.fromisoformat(day), zone or DEFAULT_ZONE)

    def __str__(self) -> str:
        return str(self.day) if self.zone == DEFAULT_ZONE else f"{self.day} {self.zone}"

    @property
    def shown(self) -> str:
        """The day for a message, always with its time zone."""
        return f"{self.day} ({self.zone})"

    def days_left(self, now: datetime) -> int:
        """Return the number of days until this one in its time zone, a negative number after it."""
        return (self.day - now.astimezone(zone_of(self.zone)).date()).days

    def has_passed(self, now: datetime) -> bool:
        """Tell whether the day is over in its time zone."""
        return self.days_left(now) < 0


def zone_problem(name: str) -> str | None:
    """Return what is wrong with the name of a time zone. None if it is valid."""
    try:
        zone_of(name)
    except ConfigurationError as error:
        return str(error)
    return None


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name. Raises ConfigurationError if this machine does not know it."""
    if name == DEFAULT_ZONE:
        return UTC
    from zoneinfo import ZoneInfo  # slow to import, and most trials use UTC

    try:
        if _NAME.fullmatch(name):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    raise ConfigurationError(
        f"{name[:60]!r} is not a known time zone; write it as Europe/Berlin or UTC (a machine without "
        "time zones needs the package tzdata)"
    )
