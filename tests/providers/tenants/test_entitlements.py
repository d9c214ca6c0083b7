"""Entitlements when a tenant is deactivated. Tenantry releases them only if no other tenant uses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.errors import NotReleased
from tenantry.providers.qlik import Cloud
from tenantry.providers.tenants.entitlements import release
from tests.providers.resource_driver import MakeDriver, ResourceDriver, Tenancy

PATH = "/api/v1/licenses/assignments"


@pytest.fixture
def cloud(tenancy: Tenancy) -> Iterator[Cloud]:
    """Yield the client of the tenancy with organisation credentials. Three users have entitlements."""
    environment = {
        "QLIK_CLOUD_ENDPOINT": tenancy.qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
        "QLIK_ORG_CLIENT_ID": "demo-org",
        "QLIK_ORG_CLIENT_SECRET": "demo-org-secret",
    }
    with Cloud(environment, notify=tenancy.messages.append) as cloud:
        for name in ("Cleo", "Bob"):
            tenancy.user(name)
        assign(tenancy, "auth0|cleo", "auth0|bob", "auth0|eve")
        tenancy.messages.clear()
        yield cloud


def assign(tenancy: Tenancy, *subjects: str, type: str = "analyzer") -> None:
    items = [{"subject": subject, "type": type} for subject in subjects]
    response = tenancy.bot.post(f"{PATH}/actions/add", {"add": items})
    assert {item["status"] for item in response["data"]} == {201}


def entitled_subjects(tenancy: Tenancy) -> set[str]:
    """Return the subjects that have an entitlement of the licence."""
    dump = tenancy.qlik.control.dump()["cloud"]
    return {entitlement["subject"] for entitlement in dump.get("entitlement", [])}


def create_other_tenant(tenancy: Tenancy, subject: str = "") -> Any:
    """Create another tenant of the licence, with a user if there is a subject. Return the tenant."""
    key = tenancy.cloud.tenant("templates.eu.qlikcloud.com").get("/api/v1/licenses/overview")["licenseKey"]
    other_tenant = tenancy.cloud.register("eu").post("/api/v1/tenants", {"licenseKey": key})
    if subject:
        body = {"subject": subject, "name": subject, "status": "active"}
        tenancy.cloud.tenant(other_tenant["hostnames"][0]).post("/api/v1/users", body)
    return other_tenant


def release_and_read_messages(cloud: Cloud, tenancy: Tenancy) -> str:
    """Release the entitlements of the tenancy. Return the messages to the user."""
    release(cloud, tenancy.hostname, tenancy.tenant_id)
    return "\n".join(tenancy.messages)


def test_entitlements_that_no_other_tenant_uses_are_released(cloud: Cloud, tenancy: Tenancy) -> None:
    """Tenantry releases only entitlements of users of this tenant. Eve is not one of them."""
    create_other_tenant(tenancy)
    output = release_and_read_messages(cloud, tenancy)
    assert entitled_subjects(tenancy) == {"auth0|eve"}
    assert "2 entitlements (analyzer of auth0|bob; analyzer of auth0|cleo)" in output
    assert "released" in output


@pytest.mark.parametrize("subject", ["auth0|cleo", "AUTH0|Cleo"], ids=["same case", "other case"])
def test_an_entitlement_that_another_tenant_uses_is_kept(
    cloud: Cloud, tenancy: Tenancy, subject: str
) -> None:
    create_other_tenant(tenancy, subject)
    output = release_and_read_messages(cloud, tenancy)
    assert entitled_subjects(tenancy) == {"auth0|cleo", "auth0|eve"}
    assert "1 entitlement (analyzer of auth0|cleo) not released, because other tenants" in output


def test_nothing_is_released_without_the_list_of_all_tenants(cloud: Cloud, tenancy: Tenancy) -> None:
    tenancy.cloud.notify = tenancy.messages.append
    output = release_and_read_messages(tenancy.cloud, tenancy)
    assert len(entitled_subjects(tenancy)) == 3
    assert "QLIK_ORG_CLIENT_ID" in output


def test_nothing_is_released_while_another_tenant_is_deactivated(cloud: Cloud, tenancy: Tenancy) -> None:
    """Somebody can reactivate it, and Tenantry cannot read its users."""
    other_tenant = create_other_tenant(tenancy)
    host = other_tenant["hostnames"][0]
    path = f"/api/v1/tenants/{other_tenant['id']}/actions/deactivate"
    tenancy.cloud.register("eu").post(path, {}, headers={"qlik-confirm-hostname": host})
    output = release_and_read_messages(cloud, tenancy)
    assert len(entitled_subjects(tenancy)) == 3
    assert f"1 tenant of the licence cannot be read: deactivated, or without a hostname ({host})" in output


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/api/core/tenants", "status": 403},
        {"path": "/api/v1/users", "query": "filter", "status": 403},
    ],
    ids=["list of tenants", "users of another tenant"],
)
def test_nothing_is_released_if_qlik_refuses_the_data(
    cloud: Cloud, tenancy: Tenancy, fault: dict[str, Any]
) -> None:
    other_host = create_other_tenant(tenancy)["hostnames"][0]
    if fault.pop("query", ""):
        fault["host"] = other_host
    tenancy.qlik.control.add_fault(method="GET", **fault)
    assert "not released, because other tenants may use them" in release_and_read_messages(cloud, tenancy)
    assert len(entitled_subjects(tenancy)) == 3


def test_nothing_is_released_if_the_list_does_not_have_this_tenant(cloud: Cloud, tenancy: Tenancy) -> None:
    """The list lags behind, so other tenants can be missing too."""
    tenancy.qlik.control.settings(organisation_lag_ms=600_000)
    assert "does not have this tenant" in release_and_read_messages(cloud, tenancy)
    assert len(entitled_subjects(tenancy)) == 3


def test_the_error_of_a_refusal_lists_the_released_entitlements(cloud: Cloud, tenancy: Tenancy) -> None:
    """Qlik returns 207 with a status for each entitlement and refuses one of them."""
    data = [
        {"subject": "auth0|bob", "type": "analyzer", "status": 403, "code": "LICENSES-003", "title": "No"},
        {"subject": "auth0|cleo", "type": "analyzer", "status": 200},
    ]
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/actions/delete", merge={"data": data})
    with pytest.raises(NotReleased) as caught:
        release_and_read_messages(cloud, tenancy)
    for words in (
        "analyzer of auth0|bob: 403 LICENSES-003 No",
        "1 entitlement (analyzer of auth0|cleo) released before that",
        "still active",
    ):
        assert words in str(caught.value)


def test_an_entitlement_that_no_longer_exists_is_not_an_error(cloud: Cloud, tenancy: Tenancy) -> None:
    """Tenantry repeats a request whose response was lost, and users repeat a failed destroy."""
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/actions/delete", drop_after=True, times=1)
    release_and_read_messages(cloud, tenancy)
    assert entitled_subjects(tenancy) == {"auth0|eve"}
    assert "no user of tenant" in release_and_read_messages(cloud, tenancy)


def test_one_request_releases_at_most_a_hundred_entitlements(cloud: Cloud, tenancy: Tenancy) -> None:
    for number in range(100):
        tenancy.user(f"User {number}")
    assign(tenancy, *(f"auth0|user {number}" for number in range(97)))
    assign(tenancy, *(f"auth0|user {number}" for number in range(97, 100)), type="professional")
    output = release_and_read_messages(cloud, tenancy)
    assert entitled_subjects(tenancy) == {"auth0|eve"}
    assert "102 entitlements" in output
    assert "and 92 more" in output
    paths = [request["path"] for request in tenancy.qlik.control.requests()]
    assert paths.count(f"{PATH}/actions/delete") == 2


def create_lifecycle(tenancy: Tenancy, driver: MakeDriver, **inputs: Any) -> ResourceDriver:
    base_inputs = {"tenant": tenancy.hostname, "tenant_id": tenancy.tenant_id, "kind": "trial", **inputs}
    return driver("tenant_lifecycle").create({**base_inputs, "ends_on": "2999-12-31", "grace_days": 10})


def test_entitlements_are_released_before_the_tenant_is_deactivated(
    cloud: Cloud, tenancy: Tenancy, driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.providers.framework.adapter._cloud", lambda: cloud)
    create_lifecycle(tenancy, driver, release_entitlements=True).delete()
    assert entitled_subjects(tenancy) == {"auth0|eve"}
    assert tenancy.world.tenant["status"] == "disabled"
    output = "\n".join(tenancy.messages)
    assert output.index("released") < output.index("revive:")


def test_a_tenant_stays_active_if_the_release_is_refused(
    cloud: Cloud, tenancy: Tenancy, driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.providers.framework.adapter._cloud", lambda: cloud)
    lifecycle = create_lifecycle(tenancy, driver, release_entitlements=True)
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/actions/delete", status=403)
    with pytest.raises(Failure, match="none was released"):
        lifecycle.delete()
    assert tenancy.world.tenant["status"] == "active"


def test_nothing_is_released_unless_the_lifecycle_sets_release_entitlements(
    cloud: Cloud, tenancy: Tenancy, driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.providers.framework.adapter._cloud", lambda: cloud)
    create_lifecycle(tenancy, driver).delete()
    assert len(entitled_subjects(tenancy)) == 3
    paths = [request["path"] for request in tenancy.qlik.control.requests()]
    assert not [path for path in paths if path.startswith(f"{PATH}/actions/d")]


def test_nothing_is_released_if_the_tenant_is_already_deactivated(cloud: Cloud, tenancy: Tenancy) -> None:
    """This happens after an interrupted destroy."""
    path = f"/api/v1/tenants/{tenancy.tenant_id}/actions/deactivate"
    headers = {"qlik-confirm-hostname": tenancy.hostname}
    tenancy.cloud.register("eu").post(path, {}, headers=headers)
    assert "already deactivated" in release_and_read_messages(cloud, tenancy)
