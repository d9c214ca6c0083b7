from __future__ import annotations

import threading

import pytest

from tenantry.providers.qlik import DeadlineExceeded, current_deadline, deadline
from tenantry.providers.qlik.deadlines import SYSTEM_CLOCK, Deadline, default_deadline
from tenantry.providers.qlik.testing import FakeClock
from tests.providers.qlik.conftest import MakeHarness


def test_a_pause_reduces_the_remaining_time() -> None:
    clock = FakeClock()
    limit = Deadline(10, clock)
    limit.pause(4, "tea")
    assert limit.remaining() == 6
    assert clock.sleeps == [4]


@pytest.mark.parametrize("seconds", [6, 7, 1000])
def test_a_pause_beyond_the_deadline_does_not_begin(seconds: float) -> None:
    clock = FakeClock()
    limit = Deadline(6, clock, "SOME_SETTING")
    with pytest.raises(DeadlineExceeded, match="tea") as caught:
        limit.pause(seconds, "tea")
    assert clock.sleeps == []
    assert (caught.value.seconds, caught.value.waiting_for) == (6, "tea")
    assert "SOME_SETTING" in str(caught.value)


def test_check_raises_only_after_the_deadline() -> None:
    clock = FakeClock()
    limit = Deadline(5, clock)
    limit.check("nothing")
    clock.sleep(5)
    with pytest.raises(DeadlineExceeded, match="something"):
        limit.check("something")


def test_a_deadline_applies_only_inside_its_block() -> None:
    assert current_deadline() is None
    with deadline(5) as limit:
        assert current_deadline() is limit
    assert current_deadline() is None


def test_a_deadline_ends_if_its_block_raises() -> None:
    with pytest.raises(KeyError), deadline(5):
        raise KeyError
    assert current_deadline() is None


def test_an_inner_deadline_can_only_be_shorter() -> None:
    clock = FakeClock()
    with deadline(5, clock=clock) as outer:
        with deadline(50, clock=clock) as longer:
            assert longer is outer
        with deadline(2, clock=clock) as shorter:
            assert shorter.remaining() == 2
        assert current_deadline() is outer


def test_a_default_deadline_does_not_change_an_existing_one() -> None:
    with default_deadline(5) as default:
        assert current_deadline() is default
    with deadline(50) as outer, default_deadline(5) as inner:
        assert inner is outer
    assert current_deadline() is None


def test_a_deadline_applies_only_to_its_thread() -> None:
    deadlines = []
    with deadline(5):
        thread = threading.Thread(target=lambda: deadlines.append(current_deadline()))
        thread.start()
        thread.join()
    assert deadlines == [None]


def test_a_deadline_of_a_cloud_uses_its_clock(make_harness: MakeHarness) -> None:
    harness = make_harness([])
    with harness.cloud.deadline(30, setting="X") as limit:
        harness.tenant.pause(20, "tea")
        assert limit.remaining() == 10
        with pytest.raises(DeadlineExceeded, match="more tea"):
            harness.tenant.pause(10, "more tea")
    assert harness.clock.sleeps == [20]


def test_a_pause_without_a_deadline_uses_the_settings(make_harness: MakeHarness) -> None:
    harness = make_harness([], {"TENANTRY_DEADLINE": "30"})
    harness.tenant.pause(29, "tea")
    with pytest.raises(DeadlineExceeded, match="TENANTRY_DEADLINE"):
        harness.tenant.pause(30, "tea")


def test_the_system_clock_advances() -> None:
    before = SYSTEM_CLOCK.monotonic()
    SYSTEM_CLOCK.sleep(0.001)
    assert SYSTEM_CLOCK.monotonic() > before
    assert SYSTEM_CLOCK.time() > 1_700_000_000
