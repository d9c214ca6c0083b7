from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenantry.providers.qlik import Cloud, DeadlineExceeded, RateLimited
from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.limits import RateLimits, budget
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply
from tests.providers.qlik.conftest import TENANT, MakeSky, failed

OK = Reply(200, {})


def limited(seconds: str = "13") -> Reply:
    return failed(429, "HTTP-429", Retry_After=seconds)


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
def test_every_method_waits_as_long_as_qlik_asks_and_tries_again(make_sky: MakeSky, method: str) -> None:
    sky = make_sky([limited("13"), limited("2"), Reply(200, {"id": "1"})])
    assert getattr(sky.tenant, method)("/api/v1/things/1") == {"id": "1"}
    assert sky.clock.slept == [13, 2]


def test_the_user_is_told(make_sky: MakeSky) -> None:
    sky = make_sky([limited("13"), OK])
    sky.tenant.get("/x")
    assert len(sky.told) == 1
    for part in ["limits the rate", TENANT, "tier 1", "13 s"]:
        assert part in sky.told[0]


def test_by_a_date(make_sky: MakeSky) -> None:
    sky = make_sky([limited("Fri, 15 Jan 2027 08:00:40 GMT"), OK])
    sky.tenant.get("/x")
    assert sky.clock.slept == [40]


@pytest.mark.parametrize(("asked", "waited"), [("soon", 10), ("0", 1)])
def test_without_a_usable_time_it_still_waits(make_sky: MakeSky, asked: str, waited: float) -> None:
    sky = make_sky([limited(asked), OK])
    sky.tenant.get("/x")
    assert sky.clock.slept == [waited]


def test_more_often_than_other_failures(make_sky: MakeSky) -> None:
    sky = make_sky([limited("10")] * 20 + [OK])
    sky.tenant.post("/x", {})
    assert sky.clock.slept == [10] * 20


@pytest.mark.parametrize("seconds", ["600", "86400"])
def test_a_wait_beyond_the_deadline_fails_at_once(make_sky: MakeSky, seconds: str) -> None:
    sky = make_sky([limited(seconds)])
    with pytest.raises(RateLimited, match="HTTP-429") as caught:
        sky.tenant.get("/x")
    assert sky.clock.slept == []
    assert caught.value.retry_after == float(seconds)
    assert sky.told == []


def test_within_the_deadline_of_the_caller(make_sky: MakeSky) -> None:
    sky = make_sky([limited("8"), limited("8")])
    with sky.cloud.deadline(10), pytest.raises(RateLimited):
        sky.tenant.get("/x")
    assert sky.clock.slept == [8]


def test_another_request_of_the_tier_waits_without_a_429_of_its_own(make_sky: MakeSky) -> None:
    sky = make_sky([limited("100"), OK, OK, OK])
    with sky.cloud.deadline(50), pytest.raises(RateLimited):
        sky.tenant.get("/first")
    sky.tenant.post("/other-tier", {})
    sky.cloud.tenant("other.eu.qlikcloud.com").get("/other-host")
    assert sky.clock.slept == []
    sky.tenant.get("/second")
    assert sky.clock.slept == [100]


def test_waiting_for_the_tier_is_bounded_and_named(make_sky: MakeSky) -> None:
    sky = make_sky([limited("100")])
    for expected in [RateLimited, DeadlineExceeded]:
        with sky.cloud.deadline(50), pytest.raises(expected) as caught:
            sky.tenant.get("/x")
    assert TENANT in str(caught.value)
    assert "tier 1" in str(caught.value)
    assert len(sky.asked) == 1
    assert sky.clock.slept == []


def test_a_special_operation_has_its_own_budget(make_sky: MakeSky) -> None:
    sky = make_sky([limited("100"), OK])
    with sky.cloud.deadline(50), pytest.raises(RateLimited):
        sky.tenant.post("/api/v1/reloads", {"appId": "1"})
    sky.tenant.post("/api/v1/things", {})
    assert sky.clock.slept == []


def test_waits_do_not_count_as_failures(make_sky: MakeSky) -> None:
    sky = make_sky([limited("1")] * 5 + [failed(503)] * 3 + [OK])
    assert sky.tenant.get("/x") == {}


def test_a_shorter_wait_does_not_open_it_sooner() -> None:
    clock = FakeClock()
    limits = RateLimits(clock)
    assert limits.close("h", "tier 1", 30)
    assert not limits.close("h", "tier 1", 5)
    limits.wait("h", "tier 1", Deadline(60, clock))
    assert clock.slept == [30]
    assert limits.close("h", "tier 1", 5)


def test_tokens_count_too(make_sky: MakeSky) -> None:
    answers = [limited("5"), Reply(200, {"access_token": "t"}), OK]
    sky = make_sky(answers, tokens=False)
    sky.tenant.get("/x")
    assert sky.clock.slept == [5]


def test_all_threads_wait_together_and_the_user_is_told_once(make_sky: MakeSky) -> None:
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
