"""Entitlements at the end of a tenant: released if nobody else uses them, kept where that is not proven."""

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
    """The same cloud with an organisation client."""
    environment = {
        "QLIK_CLOUD_ENDPOINT": tenancy.qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
        "QLIK_ORG_CLIENT_ID": "demo-org",
        "QLIK_ORG_CLIENT_SECRET": "demo-org-secret",
    }
    with Cloud(environment, notify=tenancy.messages.append) as made:
        for name in ("Cleo", "Bob"):
            tenancy.user(name)
        assign(tenancy, "auth0|cleo", "auth0|bob", "auth0|eve")
        tenancy.messages.clear()
        yield made


def assign(tenancy: Tenancy, *subjects: str, type: str = "analyzer") -> None:
    items = [{"subject": each, "type": type} for each in subjects]
    answer = tenancy.bot.post(f"{PATH}/actions/add", {"add": items})
    assert {each["status"] for each in answer["data"]} == {201}


def held(tenancy: Tenancy) -> set[str]:
    """The subjects that hold an entitlement of the licence."""
    dump = tenancy.qlik.control.dump()["cloud"]
    return {each["subject"] for each in dump.get("entitlement", [])}


def another(tenancy: Tenancy, subject: str = "") -> Any:
    """Another tenant of the licence, with a user of that subject."""
    key = tenancy.cloud.tenant("templates.eu.qlikcloud.com").get("/api/v1/licenses/overview")["licenseKey"]
    made = tenancy.cloud.register("eu").post("/api/v1/tenants", {"licenseKey": key})
    if subject:
        body = {"subject": subject, "name": subject, "status": "active"}
        tenancy.cloud.tenant(made["hostnames"][0]).post("/api/v1/users", body)
    return made


def run(cloud: Cloud, tenancy: Tenancy) -> str:
    release(cloud, tenancy.hostname, tenancy.tenant_id)
    return "\n".join(tenancy.messages)


def test_what_nobody_else_uses_is_released(cloud: Cloud, tenancy: Tenancy) -> None:
    """Of this tenant's users alone: Eve is nobody's user here."""
    another(tenancy)
    said = run(cloud, tenancy)
    assert held(tenancy) == {"auth0|eve"}
    assert "2 entitlements (analyzer of auth0|bob; analyzer of auth0|cleo)" in said
    assert "released" in said


@pytest.mark.parametrize("subject", ["auth0|cleo", "AUTH0|Cleo"], ids=["the same", "in other letters"])
def test_what_another_tenant_uses_is_kept(cloud: Cloud, tenancy: Tenancy, subject: str) -> None:
    another(tenancy, subject)
    said = run(cloud, tenancy)
    assert held(tenancy) == {"auth0|cleo", "auth0|eve"}
    assert "1 entitlement (analyzer of auth0|cleo) not released, because other tenants" in said


def test_nothing_is_released_without_the_list_of_all_tenants(cloud: Cloud, tenancy: Tenancy) -> None:
    tenancy.cloud.notify = tenancy.messages.append
    said = run(tenancy.cloud, tenancy)
    assert len(held(tenancy)) == 3
    assert "QLIK_ORG_CLIENT_ID" in said


def test_nothing_is_released_while_a_tenant_is_deactivated(cloud: Cloud, tenancy: Tenancy) -> None:
    """It may come back, and who its users are cannot be known."""
    other = another(tenancy)
    host = other["hostnames"][0]
    path = f"/api/v1/tenants/{other['id']}/actions/deactivate"
    tenancy.cloud.register("eu").post(path, {}, headers={"qlik-confirm-hostname": host})
    said = run(cloud, tenancy)
    assert len(held(tenancy)) == 3
    assert f"1 tenant of the licence cannot be read: deactivated, or without a hostname ({host})" in said


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/api/core/tenants", "status": 403},
        {"path": "/api/v1/users", "query": "filter", "status": 403},
    ],
    ids=["the list", "the users of another"],
)
def test_nothing_is_released_where_qlik_does_not_tell(
    cloud: Cloud, tenancy: Tenancy, fault: dict[str, Any]
) -> None:
    other = another(tenancy)["hostnames"][0]
    if fault.pop("query", ""):
        fault["host"] = other
    tenancy.qlik.control.add_fault(method="GET", **fault)
    assert "not released, because other tenants may use them" in run(cloud, tenancy)
    assert len(held(tenancy)) == 3


def test_a_tenant_that_the_list_lacks(cloud: Cloud, tenancy: Tenancy) -> None:
    """A list that is late may lack others as well."""
    tenancy.qlik.control.settings(organisation_lag_ms=600_000)
    assert "does not have this tenant" in run(cloud, tenancy)
    assert len(held(tenancy)) == 3


def test_a_refusal_says_what_was_released(cloud: Cloud, tenancy: Tenancy) -> None:
    """Qlik answers 207 with a status for each; one is refused, and the tenant stays."""
    data = [
        {"subject": "auth0|bob", "type": "analyzer", "status": 403, "code": "LICENSES-003", "title": "No"},
        {"subject": "auth0|cleo", "type": "analyzer", "status": 200},
    ]
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/actions/delete", merge={"data": data})
    with pytest.raises(NotReleased) as caught:
        run(cloud, tenancy)
    for words in (
        "analyzer of auth0|bob: 403 LICENSES-003 No",
        "1 entitlement (analyzer of auth0|cleo) released before that",
        "still active",
    ):
        assert words in str(caught.value)


def test_what_is_absent_by_now_is_no_failure(cloud: Cloud, tenancy: Tenancy) -> None:
    """A lost answer is repeated, and a destroy that failed as well."""
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/actions/delete", drop_after=True, times=1)
    run(cloud, tenancy)
    assert held(tenancy) == {"auth0|eve"}
    assert "no user of tenant" in run(cloud, tenancy)


def test_many_are_released_a_hundred_at_a_time(cloud: Cloud, tenancy: Tenancy) -> None:
    for number in range(100):
        tenancy.user(f"User {number}")
    assign(tenancy, *(f"auth0|user {number}" for number in range(97)))
    assign(tenancy, *(f"auth0|user {number}" for number in range(97, 100)), type="professional")
    said = run(cloud, tenancy)
    assert held(tenancy) == {"auth0|eve"}
    assert "102 entitlements" in said
    assert "and 92 more" in said
    requests = [each for each in tenancy.qlik.control.requests() if each["path"] == f"{PATH}/actions/delete"]
    assert len(requests) == 2


def lifecycle(tenancy: Tenancy, driver: MakeDriver, **more: Any) -> ResourceDriver:
    given = {"tenant": tenancy.hostname, "tenant_id": tenancy.tenant_id, "kind": "trial", **more}
    return driver("tenant_lifecycle").create({**given, "ends_on": "2999-12-31", "grace_days": 10})


def test_they_are_released_before_the_tenant_is_deactivated(
    cloud: Cloud, tenancy: Tenancy, driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.providers.framework.adapter._cloud", lambda: cloud)
    lifecycle(tenancy, driver, release_entitlements=True).delete()
    assert held(tenancy) == {"auth0|eve"}
    assert tenancy.world.tenant["status"] == "disabled"
    said = "\n".join(tenancy.messages)
    assert said.index("released") < said.index("revive:")


def test_a_tenant_whose_entitlements_are_refused_stays(
    cloud: Cloud, tenancy: Tenancy, driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.providers.framework.adapter._cloud", lambda: cloud)
    made = lifecycle(tenancy, driver, release_entitlements=True)
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/actions/delete", status=403)
    with pytest.raises(Failure, match="none was released"):
        made.delete()
    assert tenancy.world.tenant["status"] == "active"


def test_nothing_is_released_unless_the_lifecycle_says_so(
    cloud: Cloud, tenancy: Tenancy, driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.providers.framework.adapter._cloud", lambda: cloud)
    lifecycle(tenancy, driver).delete()
    assert len(held(tenancy)) == 3
    assert not [
        each for each in tenancy.qlik.control.requests() if each["path"].startswith(f"{PATH}/actions/d")
    ]


def test_a_tenant_that_is_down_already(cloud: Cloud, tenancy: Tenancy) -> None:
    """As after a destroy that was cut off: it can be deactivated again, and nothing can be released."""
    path = f"/api/v1/tenants/{tenancy.tenant_id}/actions/deactivate"
    headers = {"qlik-confirm-hostname": tenancy.hostname}
    tenancy.cloud.register("eu").post(path, {}, headers=headers)
    assert "already deactivated" in run(cloud, tenancy)
