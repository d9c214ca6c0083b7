"""Waiting: ever longer pauses, none of them long, and never beyond the bound."""

from __future__ import annotations

import pytest

from tenantry.providers.framework.waiting import late_seconds, wait
from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.testing import ENVIRONMENT, FakeClock


def test_pauses_grow_up_to_three_seconds_and_end_with_the_bound() -> None:
    clock = FakeClock()
    asked: list[float] = []

    with Cloud(ENVIRONMENT, clock=clock) as cloud:
        assert wait(cloud, lambda: asked.append(clock.monotonic()), "the app", 20) is None
    assert clock.slept[:2] == [0.25, 0.375]
    assert clock.slept == sorted(clock.slept[:-1]) + clock.slept[-1:]
    assert clock.slept[-3:-1] == [3, 3]
    assert 0 < clock.slept[-1] < 3
    assert asked[-1] == pytest.approx(20), "once more when the time is up"
    assert len(asked) == len(clock.slept) + 1


def test_what_may_still_be_made_is_looked_for_at_least_as_long_as_lists_lag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "30")
    monkeypatch.setenv("TENANTRY_CREATION_SECONDS", "300")
    assert [late_seconds(age) for age in (0, 100, 300, 4000)] == [330, 230, 30, 30]
