from __future__ import annotations

import threading

import pytest

from tenantry.providers.qlik import DeadlineExceeded, current_deadline, deadline
from tenantry.providers.qlik.deadlines import SYSTEM_CLOCK, Deadline, default_deadline
from tenantry.providers.qlik.testing import FakeClock
from tests.providers.qlik.conftest import MakeHarness


def test_remaining_and_pause() -> None:
    clock = FakeClock()
    limit = Deadline(10, clock)
    limit.pause(4, "tea")
    assert limit.remaining() == 6
    assert clock.slept == [4]


@pytest.mark.parametrize("seconds", [6, 7, 1000])
def test_a_wait_that_is_too_long_does_not_begin(seconds: float) -> None:
    clock = FakeClock()
    limit = Deadline(6, clock, "SOME_SETTING")
    with pytest.raises(DeadlineExceeded, match="tea") as caught:
        limit.pause(seconds, "tea")
    assert clock.slept == []
    assert (caught.value.seconds, caught.value.waiting_for) == (6, "tea")
    assert "SOME_SETTING" in str(caught.value)


def test_check() -> None:
    clock = FakeClock()
    limit = Deadline(5, clock)
    limit.check("nothing")
    clock.sleep(5)
    with pytest.raises(DeadlineExceeded, match="something"):
        limit.check("something")


def test_it_holds_inside_only() -> None:
    assert current_deadline() is None
    with deadline(5) as limit:
        assert current_deadline() is limit
    assert current_deadline() is None


def test_it_ends_with_an_error_too() -> None:
    with pytest.raises(KeyError), deadline(5):
        raise KeyError
    assert current_deadline() is None


def test_an_inner_one_only_shortens() -> None:
    clock = FakeClock()
    with deadline(5, clock=clock) as outer:
        with deadline(50, clock=clock) as longer:
            assert longer is outer
        with deadline(2, clock=clock) as shorter:
            assert shorter.remaining() == 2
        assert current_deadline() is outer


def test_the_default_leaves_one_that_is_set_alone() -> None:
    with default_deadline(5) as own:
        assert current_deadline() is own
    with deadline(50) as outer, default_deadline(5) as same:
        assert same is outer
    assert current_deadline() is None


def test_each_thread_has_its_own() -> None:
    found = []
    with deadline(5):
        thread = threading.Thread(target=lambda: found.append(current_deadline()))
        thread.start()
        thread.join()
    assert found == [None]


def test_of_a_cloud_by_its_clock(make_harness: MakeHarness) -> None:
    harness = make_harness([])
    with harness.cloud.deadline(30, setting="X") as limit:
        harness.tenant.pause(20, "tea")
        assert limit.remaining() == 10
        with pytest.raises(DeadlineExceeded, match="more tea"):
            harness.tenant.pause(10, "more tea")
    assert harness.clock.slept == [20]


def test_pause_without_a_deadline_keeps_to_the_settings(make_harness: MakeHarness) -> None:
    harness = make_harness([], {"TENANTRY_DEADLINE": "30"})
    harness.tenant.pause(29, "tea")
    with pytest.raises(DeadlineExceeded, match="TENANTRY_DEADLINE"):
        harness.tenant.pause(30, "tea")


def test_system_clock() -> None:
    before = SYSTEM_CLOCK.monotonic()
    SYSTEM_CLOCK.sleep(0.001)
    assert SYSTEM_CLOCK.monotonic() > before
    assert SYSTEM_CLOCK.time() > 1_700_000_000
