from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenantry.providers.qlik import Cloud, DeadlineExceeded, RateLimited
from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.limits import RateLimits, budget
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply
from tests.providers.qlik.conftest import TENANT, MakeHarness, error_reply

OK = Reply(200, {})


def limited(seconds: str = "13") -> Reply:
    return error_reply(429, "HTTP-429", Retry_After=seconds)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/things", "tier 1"),
        ("POST", "/api/v1/things", "tier 2"),
        ("PATCH", "/api/v1/things/1", "tier 2"),
        ("PUT", "/api/v1/things/1", "tier 2"),
        ("DELETE", "/api/v1/things/1", "tier 2"),
        ("POST", "/oauth/token", "tier 2"),
        ("POST", "/api/v1/temp-contents", "tier 2"),
        ("GET", "/api/v1/reloads", "tier 1"),
        ("POST", "/api/v1/reloads", "POST /api/v1/reloads"),
        ("POST", "/api/v1/users/actions/filter", "POST /api/v1/users/actions/filter"),
        ("POST", "/api/v1/temp-contents/files", "POST /api/v1/temp-contents/files"),
    ],
)
def test_budgets(method: str, path: str, expected: str) -> None:
    assert budget(method, path) == expected


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_every_method_waits_as_long_as_qlik_asks_and_tries_again(
    make_harness: MakeHarness, method: str
) -> None:
    harness = make_harness([limited("13"), limited("2"), Reply(200, {"id": "1"})])
    assert getattr(harness.tenant, method)("/api/v1/things/1") == {"id": "1"}
    assert harness.clock.slept == [13, 2]


def test_the_user_is_told(make_harness: MakeHarness) -> None:
    harness = make_harness([limited("13"), OK])
    harness.tenant.get("/x")
    assert len(harness.notifications) == 1
    for part in ["limits the rate", TENANT, "tier 1", "13 s"]:
        assert part in harness.notifications[0]


def test_by_a_date(make_harness: MakeHarness) -> None:
    harness = make_harness([limited("Fri, 15 Jan 2027 08:00:40 GMT"), OK])
    harness.tenant.get("/x")
    assert harness.clock.slept == [40]


@pytest.mark.parametrize(("asked", "waited"), [("soon", 10), ("0", 1)])
def test_without_a_usable_time_it_still_waits(make_harness: MakeHarness, asked: str, waited: float) -> None:
    harness = make_harness([limited(asked), OK])
    harness.tenant.get("/x")
    assert harness.clock.slept == [waited]


def test_more_often_than_other_failures(make_harness: MakeHarness) -> None:
    harness = make_harness([limited("10")] * 20 + [OK])
    harness.tenant.post("/x", {})
    assert harness.clock.slept == [10] * 20


@pytest.mark.parametrize("seconds", ["600", "86400"])
def test_a_wait_beyond_the_deadline_fails_at_once(make_harness: MakeHarness, seconds: str) -> None:
    harness = make_harness([limited(seconds)])
    with pytest.raises(RateLimited, match="HTTP-429") as caught:
        harness.tenant.get("/x")
    assert harness.clock.slept == []
    assert caught.value.retry_after == float(seconds)
    assert harness.notifications == []


def test_within_the_deadline_of_the_caller(make_harness: MakeHarness) -> None:
    harness = make_harness([limited("8"), limited("8")])
    with harness.cloud.deadline(10), pytest.raises(RateLimited):
        harness.tenant.get("/x")
    assert harness.clock.slept == [8]


def test_another_request_of_the_tier_waits_without_a_429_of_its_own(make_harness: MakeHarness) -> None:
    harness = make_harness([limited("100"), OK, OK, OK])
    with harness.cloud.deadline(50), pytest.raises(RateLimited):
        harness.tenant.get("/first")
    harness.tenant.post("/other-tier", {})
    harness.cloud.tenant("other.eu.qlikcloud.com").get("/other-host")
    assert harness.clock.slept == []
    harness.tenant.get("/second")
    assert harness.clock.slept == [100]


def test_waiting_for_the_tier_is_bounded_and_named(make_harness: MakeHarness) -> None:
    harness = make_harness([limited("100")])
    for expected in [RateLimited, DeadlineExceeded]:
        with harness.cloud.deadline(50), pytest.raises(expected) as caught:
            harness.tenant.get("/x")
    assert TENANT in str(caught.value)
    assert "tier 1" in str(caught.value)
    assert len(harness.api_calls) == 1
    assert harness.clock.slept == []


def test_a_special_operation_has_its_own_budget(make_harness: MakeHarness) -> None:
    harness = make_harness([limited("100"), OK])
    with harness.cloud.deadline(50), pytest.raises(RateLimited):
        harness.tenant.post("/api/v1/reloads", {"appId": "1"})
    harness.tenant.post("/api/v1/things", {})
    assert harness.clock.slept == []


def test_waits_do_not_count_as_failures(make_harness: MakeHarness) -> None:
    harness = make_harness([limited("1")] * 5 + [error_reply(503)] * 3 + [OK])
    assert harness.tenant.get("/x") == {}


def test_a_shorter_wait_does_not_open_it_sooner() -> None:
    clock = FakeClock()
    limits = RateLimits(clock)
    assert limits.close("h", "tier 1", 30)
    assert not limits.close("h", "tier 1", 5)
    limits.wait("h", "tier 1", Deadline(60, clock))
    assert clock.slept == [30]
    assert limits.close("h", "tier 1", 5)


def test_tokens_count_too(make_harness: MakeHarness) -> None:
    answers = [limited("5"), Reply(200, {"access_token": "t"}), OK]
    harness = make_harness(answers, tokens=False)
    harness.tenant.get("/x")
    assert harness.clock.slept == [5]


def test_all_threads_wait_together_and_the_user_is_told_once(make_harness: MakeHarness) -> None:
    """Three requests are in flight when the limit is hit; a fourth comes later and is not even sent."""
    in_flight, asleep = threading.Barrier(3), threading.Barrier(4)

    class Together(FakeClock):
        """Sleeps until four threads do, then wakes all at the time of the latest."""

        now = 0.0

        def monotonic(self) -> float:
            return self.now

        def sleep(self, seconds: float) -> None:
            until = self.now + seconds
            if asleep.n_waiting == 2:
                late.set()
            asleep.wait(5)
            self.now = max(self.now, until)

    def handler(call: Call) -> Reply:
        times.append(clock.now)
        if clock.now == 0:
            in_flight.wait(5)
            return limited("13")
        return OK

    clock, late = Together(), threading.Event()
    told: list[str] = []
    times: list[float] = []
    with Cloud(ENVIRONMENT, clock=clock, adapter=MockTransport(handler), notify=told.append) as cloud:
        tenant = cloud.tenant(TENANT)
        with ThreadPoolExecutor(4) as pool:
            first = [pool.submit(tenant.get, f"/x{n}") for n in range(3)]
            assert late.wait(5)
            last = pool.submit(tenant.get, "/x3")
            assert [each.result(10) for each in [*first, last]] == [{}] * 4
    assert times == [0, 0, 0, 13, 13, 13, 13]
    assert len(told) == 1
