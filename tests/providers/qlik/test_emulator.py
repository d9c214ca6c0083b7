"""The client against the emulator. They share no code, so they must agree on Qlik's documentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tenantry.providers.qlik import (
    Cloud,
    Conflict,
    ConnectionFailed,
    Host,
    PreconditionFailed,
    ResponseLost,
    TenantDisabled,
    Unauthorized,
)
from tenantry.providers.qlik.testing import FakeClock

SOURCE = "templates.eu.qlikcloud.com"
SPACES = "/api/v1/spaces"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def environ(qlik: Emulator) -> dict[str, str]:
    return {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
        "QLIK_ORG_CLIENT_ID": "demo-org",
        "QLIK_ORG_CLIENT_SECRET": "demo-org-secret",
    }


@pytest.fixture
def cloud(environ: dict[str, str], clock: FakeClock) -> Iterator[Cloud]:
    with Cloud(environ, clock=clock) as cloud:
        yield cloud


@pytest.fixture
def tenant(cloud: Cloud) -> Host:
    """Create a tenant for this test only."""
    key = cloud.tenant(SOURCE).get("/api/v1/licenses/overview")["licenseKey"]
    return cloud.tenant(cloud.register("eu").post("/api/v1/tenants", {"licenseKey": key})["hostnames"][0])


def tenant_id(tenant: Host) -> str:
    """Return the id of a tenant."""
    id: str = tenant.get("/api/v1/tenants/me")["id"]
    return id


def test_redirects_of_users_me_and_tenants_me_are_followed(tenant: Host) -> None:
    me = tenant.get("/api/v1/users/me")
    assert me["tenantId"] == tenant_id(tenant)
    assert me["subject"].startswith("qlikbot")


def test_spaces_are_listed_page_by_page(tenant: Host) -> None:
    names = [f"Space {n}" for n in range(7)]
    for name in names:
        tenant.post(SPACES, {"name": name, "type": "shared"})
    assert sorted(space["name"] for space in tenant.list(SPACES, limit=3)) == names
    assert [space["name"] for space in tenant.find(SPACES, "Space 3")] == ["Space 3"]
    assert tenant.find(SPACES, "space 3") == []


def test_errors_have_qliks_code_and_trace_id(tenant: Host) -> None:
    space = tenant.post(SPACES, {"name": "Sales", "type": "shared"})
    with pytest.raises(Conflict) as caught:
        tenant.post(SPACES, {"name": "Sales", "type": "managed"})
    assert caught.value.code
    assert caught.value.trace_id
    assert tenant.delete(f"{SPACES}/{space['id']}") is None


def test_the_organisation_lists_all_tenants(cloud: Cloud, tenant: Host) -> None:
    listed = [
        hostname
        for tenant_entry in cloud.organisation().list("/api/core/tenants", limit=1)
        for hostname in tenant_entry["hostnames"]
    ]
    assert {SOURCE, tenant.hostname} <= set(listed)
    assert len(listed) == len(set(listed)) >= 3


def test_an_app_is_copied_to_another_tenant(cloud: Cloud, tenant: Host, tmp_path: Path) -> None:
    source = cloud.tenant(SOURCE)
    item = source.find("/api/v1/items", "Sales Overview", {"resourceType": "app"})[0]
    location = source.export(f"/api/v1/apps/{item['resourceId']}/export", {"NoData": True})
    file = tmp_path / "app.qvf"
    assert source.download(location, file) == file.stat().st_size > 0
    space = tenant.post(SPACES, {"name": "Staging", "type": "shared"})
    app = tenant.upload("/api/v1/apps/import", file, params={"spaceId": space["id"], "name": "Sales"})
    assert app["attributes"]["spaceId"] == space["id"]
    with pytest.raises(PreconditionFailed):
        tenant.delete(f"{SPACES}/{space['id']}")


def test_a_deactivated_tenant_is_disabled_until_its_reactivation(
    cloud: Cloud, environ: dict[str, str], tenant: Host
) -> None:
    id = tenant_id(tenant)
    confirmation = {"qlik-confirm-hostname": tenant.hostname}
    cloud.register("eu").post(
        f"/api/v1/tenants/{id}/actions/deactivate", {"purgeAfterDays": 10}, headers=confirmation
    )
    with Cloud(environ) as new_cloud:
        for host in [tenant, new_cloud.tenant(tenant.hostname)]:  # with a token, and without
            with pytest.raises(TenantDisabled):
                host.get(SPACES)
    cloud.register("eu").post(f"/api/v1/tenants/{id}/actions/reactivate", headers=confirmation)
    assert list(tenant.list(SPACES)) == []


def test_an_expired_token_is_renewed(qlik: Emulator, tenant: Host) -> None:
    tenant.get(SPACES)
    qlik.control.advance(6 * 3600 + 1)
    tenant.get(SPACES)


def test_the_client_of_another_region_is_refused(cloud: Cloud) -> None:
    with pytest.raises(Unauthorized, match="QLIK_CLIENT_ID_US"):
        cloud.tenant("templates.us.qlikcloud.com").get(SPACES)


def test_a_rate_limited_request_waits_as_long_as_qlik_asks(
    qlik: Emulator, clock: FakeClock, tenant: Host
) -> None:
    qlik.control.add_fault(
        host=tenant.hostname,
        path=SPACES,
        method="POST",
        times=2,
        status=429,
        headers={"Retry-After": "13"},
        body={},
    )
    tenant.post(SPACES, {"name": "Sales", "type": "shared"})
    assert clock.sleeps == [13, 13]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncate"])
def test_a_change_without_a_response_raises_response_lost(qlik: Emulator, tenant: Host, fault: str) -> None:
    tenant.authenticate()
    qlik.control.add_fault(host=tenant.hostname, path=SPACES, method="POST", **{fault: True})
    with pytest.raises(ResponseLost):
        tenant.post(SPACES, {"name": "Sales", "type": "shared"})
    assert len(tenant.find(SPACES, "Sales")) == (0 if fault == "drop_before" else 1)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncate"])
def test_a_read_without_a_response_is_repeated(qlik: Emulator, tenant: Host, fault: str) -> None:
    tenant.authenticate()
    qlik.control.add_fault(host=tenant.hostname, path=SPACES, method="GET", times=3, **{fault: True})
    assert list(tenant.list(SPACES)) == []
    qlik.control.add_fault(host=tenant.hostname, path=SPACES, method="GET", times=4, **{fault: True})
    with pytest.raises(ConnectionFailed):
        list(tenant.list(SPACES))
