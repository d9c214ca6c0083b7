"""Tenants from creation to purge."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import CONSOLE, REGISTER, SOURCE, Api, error, new_tenant

DAY = 86_400


@pytest.fixture
def register(qlik: Emulator) -> Api:
    return Api(qlik, REGISTER).login()


def tenant_id(tenant: Api) -> str:
    return str(tenant.send("GET", "/api/v1/tenants/me").headers["location"].rsplit("/", 1)[1])


def deactivate(register: Api, tenant: Api, body: Any = None, host: str = "", expect: int = 200) -> Any:
    own_id = next(
        t["id"] for t in register.qlik.control.dump()["cloud"]["tenant"] if tenant.host in t["hostnames"]
    )
    headers = {"qlik-confirm-hostname": host or tenant.host}
    return register.post(f"/api/v1/tenants/{own_id}/actions/deactivate", body, expect=expect, headers=headers)


def test_a_new_tenant_is_active_and_named_after_its_generated_host(qlik: Emulator, register: Api) -> None:
    key = Api(qlik, SOURCE).login().get("/api/v1/licenses/overview")["licenseKey"]
    created = register.post("/api/v1/tenants", {"licenseKey": key})
    assert created["hostnames"] == [f"{created['name']}.eu.qlikcloud.com"]
    assert (created["status"], created["datacenter"], created["createdByUser"]) == ("active", "eu-west-1", "")
    second = register.post("/api/v1/tenants", {"licenseKey": key})
    assert second["id"] != created["id"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "TENANTS-21"),
        ({"licenseKey": ""}, 400, "TENANTS-21"),
        ([], 400, "TENANTS-400"),
        ({"licenseKey": "emulator-licence-key-us"}, 403, "TENANTS-23"),
        ({"licenseKey": "x", "name": "Globex"}, 400, "TENANTS-400"),
    ],
)
def test_a_refused_creation_has_qliks_codes(register: Api, body: Any, status: int, code: str) -> None:
    entry = error(register.post("/api/v1/tenants", body, expect=status))
    assert (entry["code"], entry["status"]) == (code, str(status))


def test_the_quota_counts_deactivated_tenants_until_they_are_purged(qlik: Emulator, register: Api) -> None:
    qlik.control.settings(tenant_quota=1)
    tenant = new_tenant(qlik)
    key = {"licenseKey": "emulator-licence-key-eu"}
    assert error(register.post("/api/v1/tenants", key, expect=403))["code"] == "TENANTS-22"
    deactivate(register, tenant, {"purgeAfterDays": 10})
    register.post("/api/v1/tenants", key, expect=403)
    qlik.control.advance(10 * DAY + 1)
    register.login().post("/api/v1/tenants", key)


def test_tenants_are_created_on_the_register_host_only(qlik: Emulator) -> None:
    source = Api(qlik, SOURCE).login()
    response = source.post("/api/v1/tenants", {"licenseKey": "emulator-licence-key-eu"}, expect=400)
    assert "register" in error(response)["detail"]
    assert qlik.control.health()["unknown"] == [{"request": f"POST {SOURCE}/api/v1/tenants", "count": 1}]
    Api(qlik, REGISTER).login().get("/api/v1/spaces", expect=400)


def test_a_deactivated_tenant_refuses_requests_and_is_unchanged_after_reactivation(
    qlik: Emulator, register: Api
) -> None:
    tenant = new_tenant(qlik)
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})
    deactivated = deactivate(register, tenant)
    assert deactivated["status"] == "disabled"
    for response in (
        tenant.send("GET", "/api/v1/spaces"),
        tenant.send("GET", "/nowhere"),
        tenant.request_token(),
    ):
        assert response.status_code == 401
        assert error(response.json())["code"] == "TENANT_DISABLED"
    path = f"/api/v1/tenants/{deactivated['id']}/actions/reactivate"
    reactivated = register.post(path, {}, expect=200, headers={"qlik-confirm-hostname": tenant.host})
    assert reactivated == {"id": deactivated["id"], "status": "active"}
    assert tenant.get(f"/api/v1/spaces/{space['id']}") == space


def test_the_confirmation_header_must_name_a_host_of_the_tenant(qlik: Emulator, register: Api) -> None:
    tenant = new_tenant(qlik)
    tenant.patch(f"/api/v1/tenants/{tenant_id(tenant)}", {"/hostnames/1": "globex.eu.qlikcloud.com"})
    deactivate(register, tenant, host=SOURCE, expect=412)
    path = f"/api/v1/tenants/{tenant_id(tenant)}/actions/deactivate"
    register.post(path, {}, expect=412)
    tenant.get("/api/v1/spaces")
    deactivate(register, tenant, host="GLOBEX.eu.qlikcloud.com")


@pytest.mark.parametrize("days", [9, 91, "30", 10.5])
def test_purge_days_must_be_an_integer_from_10_to_90(qlik: Emulator, register: Api, days: Any) -> None:
    deactivate(register, new_tenant(qlik), {"purgeAfterDays": days}, expect=400)


def test_a_repeated_deactivation_restarts_the_countdown(qlik: Emulator, register: Api) -> None:
    tenant = new_tenant(qlik)
    first = deactivate(register, tenant, {"purgeAfterDays": 10})["estimatedPurgeDate"]
    qlik.control.advance(9 * DAY)
    register.login()
    assert deactivate(register, tenant, {"purgeAfterDays": 10})["estimatedPurgeDate"] > first
    qlik.control.advance(9 * DAY)
    assert tenant.request_token().status_code == 401
    qlik.control.advance(2 * DAY)
    assert error(tenant.request_token().json())["code"] == "TENANT_NOT_FOUND"


def test_a_purged_tenant_is_deleted_and_its_alias_is_free(qlik: Emulator, register: Api) -> None:
    tenant, other = new_tenant(qlik), new_tenant(qlik)
    own_id = tenant_id(tenant)
    alias = {"/hostnames/1": "globex.eu.qlikcloud.com"}
    tenant.patch(f"/api/v1/tenants/{own_id}", alias)
    deactivate(register, tenant, {"purgeAfterDays": 10})
    other.patch(f"/api/v1/tenants/{tenant_id(other)}", alias, expect=400)
    qlik.control.advance(10 * DAY + 1)
    other.login().patch(f"/api/v1/tenants/{tenant_id(other)}", alias)
    headers = {"qlik-confirm-hostname": tenant.host}
    path = f"/api/v1/tenants/{own_id}/actions/reactivate"
    not_found = register.login().post(path, {}, expect=404, headers=headers)
    assert error(not_found)["code"] == "TENANTS-8"
    console = Api(qlik, CONSOLE, "demo-org").login()
    assert own_id not in {entry["id"] for entry in console.everything("/api/core/tenants")}
    assert tenant.host not in qlik.control.dump()


def test_a_tenant_can_only_be_read_on_its_own_host(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    me = tenant.send("GET", "/api/v1/tenants/me")
    assert me.status_code == 302
    assert tenant.get(me.headers["location"])["hostnames"] == [tenant.host]
    Api(qlik, SOURCE).login().get(me.headers["location"], expect=404)


@pytest.mark.parametrize(
    ("alias", "cause"),
    [
        ("ab.eu.qlikcloud.com", "3..63"),
        ("a" * 64 + ".eu.qlikcloud.com", "3..63"),
        ("globex.us.qlikcloud.com", "must end in .eu.qlikcloud.com"),
        ("globex", "must end in"),
        ("glo_bex.eu.qlikcloud.com", "not valid"),
        ("register.eu.qlikcloud.com", "not valid"),
        (SOURCE, "in use"),
    ],
)
def test_a_bad_alias_is_refused_with_qliks_code_and_changes_nothing(
    qlik: Emulator, alias: str, cause: str
) -> None:
    tenant = new_tenant(qlik)
    path = f"/api/v1/tenants/{tenant_id(tenant)}"
    before = tenant.get(path)
    entry = error(tenant.patch(path, {"/name": "Globex", "/hostnames/1": alias}, expect=400))
    assert entry["code"] == "TENANTS-10"
    assert cause in entry["meta"]["title"]
    assert tenant.get(path) == before


def test_a_new_alias_frees_the_old_one(qlik: Emulator) -> None:
    one, two = new_tenant(qlik), new_tenant(qlik)
    one.patch(f"/api/v1/tenants/{tenant_id(one)}", {"/hostnames/1": "first.eu.qlikcloud.com"})
    two.patch(f"/api/v1/tenants/{tenant_id(two)}", {"/hostnames/1": "first.eu.qlikcloud.com"}, expect=400)
    one.patch(f"/api/v1/tenants/{tenant_id(one)}", {"/hostnames/1": "second.eu.qlikcloud.com"})
    two.patch(f"/api/v1/tenants/{tenant_id(two)}", {"/hostnames/1": "first.eu.qlikcloud.com"})


def test_a_flag_must_be_a_boolean(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    path = f"/api/v1/tenants/{tenant_id(tenant)}"
    tenant.patch(path, {"/enableAppOpeningFeedback": True})
    assert tenant.get(path)["enableAppOpeningFeedback"] is True
    tenant.patch(path, {"/enableAppOpeningFeedback": "yes"}, expect=400)


def test_the_generated_hostname_cannot_change(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    tenant.patch(
        f"/api/v1/tenants/{tenant_id(tenant)}", {"/hostnames/0": "globex.eu.qlikcloud.com"}, expect=400
    )


def test_the_organisation_lists_tenants_of_all_regions_with_links_to_another_host(
    qlik: Emulator, register: Api
) -> None:
    tenant = new_tenant(qlik)
    console = Api(qlik, CONSOLE, "demo-org").login()
    first = console.get("/api/core/tenants?limit=1&sort=-createdAt&totalResults=true")
    assert first["totalResults"] == 3
    assert first["links"]["next"]["href"].startswith("https://api.qlikcloud.com/api/core/tenants?")
    (newest,) = first["data"]
    assert newest["hostnames"] == [tenant.host]
    source_bot = Api(qlik, SOURCE).login().send("GET", "/api/v1/users/me").headers["location"]
    assert newest["createdBy"] == source_bot.rsplit("/", 1)[1]
    assert {entry["regionCode"] for entry in console.everything("/api/core/tenants?limit=2")} == {
        "eu-west-1",
        "us-east-1",
    }
    deactivate(register, tenant, {"purgeAfterDays": 10})
    deactivated = console.get(f"/api/core/tenants/{newest['id']}")["data"][0]
    assert deactivated["status"] == "disabled"
    assert deactivated["deletionStartsAt"] > newest["createdAt"]


def test_an_organisation_filter_must_name_the_subscription(qlik: Emulator) -> None:
    new_tenant(qlik)
    console = Api(qlik, CONSOLE, "demo-org").login()
    console.get('/api/core/tenants?filter=status eq "active"', expect=400)
    mine = 'subscriptionId eq "1000000000000001"'
    assert len(console.everything(f"/api/core/tenants?filter={mine}&limit=1")) == 2
    assert console.get(f'/api/core/tenants/actions/count?filter={mine} and status ne "active"') == {
        "total": 0
    }
    found = console.post("/api/core/tenants/actions/filter", {"filter": mine}, expect=200)
    assert len(found["data"]) == 2


def test_the_organisation_lists_a_new_tenant_late(qlik: Emulator) -> None:
    qlik.control.settings(organisation_lag_ms=600_000)
    console = Api(qlik, CONSOLE, "demo-org").login()
    mine = 'subscriptionId eq "1000000000000001"'
    count = f"/api/core/tenants/actions/count?filter={mine}"
    tenant = new_tenant(qlik)
    own_id = tenant_id(tenant)
    assert own_id not in {entry["id"] for entry in console.everything("/api/core/tenants")}
    assert console.get(count) == {"total": 1}
    console.get(f"/api/core/tenants/{own_id}", expect=404)
    qlik.control.advance(600)
    assert own_id in {entry["id"] for entry in console.everything("/api/core/tenants")}
    assert console.get(count) == {"total": 2}
    console.get(f"/api/core/tenants/{own_id}")
