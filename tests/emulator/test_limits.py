"""Qlik's rate limits."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tests.emulator.api import Api, error, new_tenant


def use_up(api: Api, count: int) -> None:
    for _ in range(count):
        api.get("/api/v1/licenses/settings")


def test_a_tier_closes_at_its_limit_and_the_other_stays_open(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    # 100 per minute x 5 minutes x 0.5 for the one user of the tenant, in a window of 1/10.
    qlik.control.settings(rate_limits=True, rate_window_scale=0.1)
    for number in range(25):
        tenant.post("/api/v1/groups", {"name": f"G{number}"})
    response = tenant.send("POST", "/api/v1/groups", json={"name": "one more"})
    assert response.status_code == 429
    wait = int(response.headers["retry-after"])
    assert 0 < wait <= 30
    assert error(response.json()) == {
        "code": "HTTP-429",
        "title": "API rate limit reached.",
        "detail": f"You need to wait {wait} seconds until limit is lifted.",
        "status": 429,
    }
    tenant.get("/api/v1/groups")
    qlik.control.advance(wait)
    tenant.post("/api/v1/groups", {"name": "one more"})


def test_more_users_raise_the_tenants_limit_above_the_users_own_limit(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    for number in range(3):
        tenant.post("/api/v1/users", {"subject": f"u{number}", "status": "active"})
    qlik.control.settings(rate_limits=True, rate_window_scale=0.02)
    # 100 x 5 x 0.02 = 10 for the user. The tenant's limit of 20 is not reached.
    responses = [tenant.send("PUT", "/api/v1/licenses/settings", json={}).status_code for _ in range(11)]
    assert responses == [200] * 10 + [429]


def test_limits_are_per_tenant(qlik: Emulator) -> None:
    one, two = new_tenant(qlik), new_tenant(qlik)
    qlik.control.settings(rate_limits=True, rate_window_scale=0.02)
    responses = [one.send("PUT", "/api/v1/licenses/settings", json={}).status_code for _ in range(6)]
    assert responses[-1] == 429
    two.put("/api/v1/licenses/settings", {})
    qlik.request("PUT", one.host, "/api/v1/licenses/settings", {})


def test_there_is_no_limit_by_default(qlik: Emulator) -> None:
    use_up(new_tenant(qlik), 60)
