"""Qlik's rate limits."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tests.emulator.api import Api, error, new_tenant


def drain(api: Api, count: int) -> None:
    for _ in range(count):
        api.get("/api/v1/licenses/settings")


def test_a_tier_closes_at_its_limit_and_the_other_stays_open(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    # 100 per minute x 5 minutes x 0.5 for the one user of the tenant, in a window of 1/10.
    qlik.control.settings(rate_limits=True, rate_window_scale=0.1)
    for number in range(25):
        tenant.post("/api/v1/groups", {"name": f"G{number}"})
    answer = tenant.send("POST", "/api/v1/groups", json={"name": "one more"})
    assert answer.status_code == 429
    wait = int(answer.headers["retry-after"])
    assert 0 < wait <= 30
    assert error(answer.json()) == {
        "code": "HTTP-429",
        "title": "API rate limit reached.",
        "detail": f"You need to wait {wait} seconds until limit is lifted.",
        "status": 429,
    }
    tenant.get("/api/v1/groups")
    qlik.control.advance(wait)
    tenant.post("/api/v1/groups", {"name": "one more"})


def test_more_users_raise_the_cap_of_the_tenant_to_the_users_own_limit(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    for number in range(3):
        tenant.post("/api/v1/users", {"subject": f"u{number}", "status": "active"})
    qlik.control.settings(rate_limits=True, rate_window_scale=0.02)
    # 100 x 5 x 0.02 = 10 for the user; the tenant's 20 are not reached.
    answers = [tenant.send("PUT", "/api/v1/licenses/settings", json={}).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def test_limits_are_per_tenant(qlik: Emulator) -> None:
    one, two = new_tenant(qlik), new_tenant(qlik)
    qlik.control.settings(rate_limits=True, rate_window_scale=0.02)
    answers = [one.send("PUT", "/api/v1/licenses/settings", json={}).status_code for _ in range(6)]
    assert answers[-1] == 429
    two.put("/api/v1/licenses/settings", {})
    qlik.request("PUT", one.host, "/api/v1/licenses/settings", {})


def test_there_is_no_limit_unless_asked_for(qlik: Emulator) -> None:
    drain(new_tenant(qlik), 60)
