"""Waiting: pauses grow up to a maximum and end at the time limit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tenantry.providers.framework.waiting import (
    creation_seconds,
    lag_seconds,
    late_seconds,
    ready_seconds,
    wait,
)
from tenantry.providers.qlik import Cloud, ConfigurationError
from tenantry.providers.qlik.testing import ENVIRONMENT, FakeClock


def test_pauses_grow_up_to_three_seconds_and_end_at_the_time_limit() -> None:
    clock = FakeClock()
    probed_at: list[float] = []

    with Cloud(ENVIRONMENT, clock=clock) as cloud:
        assert wait(cloud, lambda: probed_at.append(clock.monotonic()), "the app", 20) is None
    assert clock.sleeps[:2] == [0.25, 0.375]
    assert clock.sleeps == sorted(clock.sleeps[:-1]) + clock.sleeps[-1:]
    assert clock.sleeps[-3:-1] == [3, 3]
    assert 0 < clock.sleeps[-1] < 3
    assert probed_at[-1] == pytest.approx(20), "the last probe is at the time limit"
    assert len(probed_at) == len(clock.sleeps) + 1


def test_a_search_for_an_object_takes_at_least_as_long_as_lists_lag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "30")
    monkeypatch.setenv("TENANTRY_CREATION_SECONDS", "300")
    assert [late_seconds(age) for age in (0, 100, 300, 4000)] == [330, 230, 30, 30]


@pytest.mark.parametrize("function", [ready_seconds, lag_seconds, creation_seconds])
@pytest.mark.parametrize("value", ["3m", "-1", "nan", "inf", "1e999"])
def test_an_invalid_number_of_seconds_is_refused_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, function: Callable[[], float], value: str
) -> None:
    variable = f"TENANTRY_{function.__name__.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"^{variable} must be a number of seconds of at least 0"):
        function()
    monkeypatch.setenv(variable, "0")
    assert function() == 0
