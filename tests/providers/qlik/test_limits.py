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


def rate_limited(seconds: str = "13") -> Reply:
    """Return a 429 with `Retry-After`."""
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
def test_each_operation_has_its_budget(method: str, path: str, expected: str) -> None:
    assert budget(method, path) == expected


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_every_method_waits_as_long_as_qlik_asks_and_then_retries(
    make_harness: MakeHarness, method: str
) -> None:
    harness = make_harness([rate_limited("13"), rate_limited("2"), Reply(200, {"id": "1"})])
    assert getattr(harness.tenant, method)("/api/v1/things/1") == {"id": "1"}
    assert harness.clock.sleeps == [13, 2]


def test_a_message_tells_the_user_about_the_wait(make_harness: MakeHarness) -> None:
    harness = make_harness([rate_limited("13"), OK])
    harness.tenant.get("/x")
    assert len(harness.notifications) == 1
    for part in ["limits the rate", TENANT, "tier 1", "13 s"]:
        assert part in harness.notifications[0]


def test_retry_after_can_be_a_date(make_harness: MakeHarness) -> None:
    harness = make_harness([rate_limited("Fri, 15 Jan 2027 08:00:40 GMT"), OK])
    harness.tenant.get("/x")
    assert harness.clock.sleeps == [40]


@pytest.mark.parametrize(("retry_after", "waited"), [("soon", 10), ("0", 1)])
def test_an_unusable_retry_after_still_causes_a_wait(
    make_harness: MakeHarness, retry_after: str, waited: float
) -> None:
    harness = make_harness([rate_limited(retry_after), OK])
    harness.tenant.get("/x")
    assert harness.clock.sleeps == [waited]


def test_there_are_more_retries_than_after_other_failures(make_harness: MakeHarness) -> None:
    harness = make_harness([rate_limited("10")] * 20 + [OK])
    harness.tenant.post("/x", {})
    assert harness.clock.sleeps == [10] * 20


@pytest.mark.parametrize("seconds", ["600", "86400"])
def test_a_wait_beyond_the_deadline_fails_at_once(make_harness: MakeHarness, seconds: str) -> None:
    harness = make_harness([rate_limited(seconds)])
    with pytest.raises(RateLimited, match="HTTP-429") as caught:
        harness.tenant.get("/x")
    assert harness.clock.sleeps == []
    assert caught.value.retry_after == float(seconds)
    assert harness.notifications == []


def test_waits_end_at_the_deadline_of_the_caller(make_harness: MakeHarness) -> None:
    harness = make_harness([rate_limited("8"), rate_limited("8")])
    with harness.cloud.deadline(10), pytest.raises(RateLimited):
        harness.tenant.get("/x")
    assert harness.clock.sleeps == [8]


def test_another_request_of_the_tier_waits_before_it_gets_its_own_429(make_harness: MakeHarness) -> None:
    harness = make_harness([rate_limited("100"), OK, OK, OK])
    with harness.cloud.deadline(50), pytest.raises(RateLimited):
        harness.tenant.get("/first")
    harness.tenant.post("/other-tier", {})
    harness.cloud.tenant("other.eu.qlikcloud.com").get("/other-host")
    assert harness.clock.sleeps == []
    harness.tenant.get("/second")
    assert harness.clock.sleeps == [100]


def test_a_wait_for_the_tier_has_a_deadline_whose_error_names_the_tier(make_harness: MakeHarness) -> None:
    harness = make_harness([rate_limited("100")])
    for expected in [RateLimited, DeadlineExceeded]:
        with harness.cloud.deadline(50), pytest.raises(expected) as caught:
            harness.tenant.get("/x")
    assert TENANT in str(caught.value)
    assert "tier 1" in str(caught.value)
    assert len(harness.api_calls) == 1
    assert harness.clock.sleeps == []


def test_a_special_operation_has_its_own_budget(make_harness: MakeHarness) -> None:
    harness = make_harness([rate_limited("100"), OK])
    with harness.cloud.deadline(50), pytest.raises(RateLimited):
        harness.tenant.post("/api/v1/reloads", {"appId": "1"})
    harness.tenant.post("/api/v1/things", {})
    assert harness.clock.sleeps == []


def test_rate_limits_do_not_count_as_failed_attempts(make_harness: MakeHarness) -> None:
    harness = make_harness([rate_limited("1")] * 5 + [error_reply(503)] * 3 + [OK])
    assert harness.tenant.get("/x") == {}


def test_a_later_shorter_wait_does_not_open_the_tier_sooner() -> None:
    clock = FakeClock()
    limits = RateLimits(clock)
    assert limits.close("h", "tier 1", 30)
    assert not limits.close("h", "tier 1", 5)
    limits.wait("h", "tier 1", Deadline(60, clock))
    assert clock.sleeps == [30]
    assert limits.close("h", "tier 1", 5)


def test_a_rate_limited_token_request_waits(make_harness: MakeHarness) -> None:
    replies = [rate_limited("5"), Reply(200, {"access_token": "t"}), OK]
    harness = make_harness(replies, tokens=False)
    harness.tenant.get("/x")
    assert harness.clock.sleeps == [5]


def test_all_threads_wait_together_and_cause_one_message(make_harness: MakeHarness) -> None:
    """Three requests are in flight when Qlik limits the rate. A fourth waits before it is sent."""
    in_flight, asleep = threading.Barrier(3), threading.Barrier(4)

    class SharedClock(FakeClock):
        """A clock that sleeps until four threads sleep, and then wakes them all at the latest time."""

        now = 0.0

        def monotonic(self) -> float:
            return self.now

        def sleep(self, seconds: float) -> None:
            until = self.now + seconds
            if asleep.n_waiting == 2:
                three_asleep.set()
            asleep.wait(5)
            self.now = max(self.now, until)

    def handler(call: Call) -> Reply:
        times.append(clock.now)
        if clock.now == 0:
            in_flight.wait(5)
            return rate_limited("13")
        return OK

    clock, three_asleep = SharedClock(), threading.Event()
    messages: list[str] = []
    times: list[float] = []
    with Cloud(ENVIRONMENT, clock=clock, adapter=MockTransport(handler), notify=messages.append) as cloud:
        tenant = cloud.tenant(TENANT)
        with ThreadPoolExecutor(4) as pool:
            in_flight_requests = [pool.submit(tenant.get, f"/x{n}") for n in range(3)]
            assert three_asleep.wait(5)
            late_request = pool.submit(tenant.get, "/x3")
            assert [request.result(10) for request in [*in_flight_requests, late_request]] == [{}] * 4
    assert times == [0, 0, 0, 13, 13, 13, 13]
    assert len(messages) == 1
