"""The last day of a trial, in a time zone."""

from __future__ import annotations

import sys
import zoneinfo
from datetime import UTC, date, datetime

import pytest

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.tenants.lifetime import has_ended
from tenantry.providers.values.days import LastDay, zone_problem

DAY = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("zone", "last_moment", "first_after"),
    [
        ("UTC", "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
        ("Europe/Berlin", "2026-12-31T22:59:59", "2026-12-31T23:00:00"),
        ("Pacific/Kiritimati", "2026-12-31T09:59:59", "2026-12-31T10:00:00"),
        ("America/Los_Angeles", "2027-01-01T07:59:59", "2027-01-01T08:00:00"),
    ],
)
def test_the_last_day_ends_at_midnight_in_its_time_zone(
    zone: str, last_moment: str, first_after: str
) -> None:
    day = LastDay(DAY, zone)
    for moment, is_over in ((last_moment, False), (first_after, True)):
        now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert day.has_passed(now) is is_over
        assert has_ended(str(day), now.timestamp()) is is_over
        assert day.days_left(now) == (-1 if is_over else 0)


@pytest.mark.parametrize("day", [LastDay(DAY), LastDay(DAY, "Europe/Berlin")])
def test_the_text_of_a_last_day_can_be_parsed(day: LastDay) -> None:
    assert LastDay.parse(str(day)) == day


def test_the_text_of_a_last_day_in_utc_has_no_time_zone() -> None:
    # The states of earlier versions have only the day.
    assert (str(LastDay(DAY)), LastDay(DAY).shown) == ("2026-12-31", "2026-12-31 (UTC)")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3"])
def test_a_known_time_zone_is_accepted(zone: str) -> None:
    assert zone_problem(zone) is None


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Berlin",
        "localtime",
        "Europe",
        "../etc/passwd",
        "/etc/localtime",
        "Europe/Berlin\0",
        "CEST",
        "a/" * 99,
    ],
)
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    assert "is not a known time zone" in str(zone_problem(zone))


def test_a_machine_without_time_zones_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    zoneinfo.ZoneInfo.clear_cache()
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    zoneinfo.reset_tzpath(to=())
    monkeypatch.setitem(sys.modules, "tzdata", None)
    try:
        with pytest.raises(ConfigurationError, match="needs the package tzdata"):
            LastDay(DAY, "Europe/Berlin").days_left(datetime.now(UTC))
    finally:
        zoneinfo.reset_tzpath()
