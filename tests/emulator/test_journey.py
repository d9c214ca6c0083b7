"""All requests with which a client sets up and deactivates one customer."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tests.emulator.api import CONSOLE, REGISTER, SOURCE, Api, new_tenant


def test_a_customer_is_set_up_and_deactivated(qlik: Emulator) -> None:
    source = Api(qlik, SOURCE).login()
    tenant = new_tenant(qlik)
    me = tenant.send("GET", "/api/v1/users/me")
    assert me.status_code == 301
    bot = tenant.get(me.headers["location"])
    assert bot["subject"] == "qlikbot\\demo"
    assert [role["name"] for role in bot["assignedRoles"]] == ["TenantAdmin"]

    tenant.patch(
        f"/api/v1/tenants/{bot['tenantId']}", {"/name": "Globex", "/hostnames/1": "globex.eu.qlikcloud.com"}
    )
    staging = tenant.post("/api/v1/spaces", {"name": "Sales staging", "type": "shared"})
    managed = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "managed"})
    group = tenant.post("/api/v1/groups", {"name": "Analysts", "assignedRoles": [{"name": "AnalyticsAdmin"}]})
    tenant.post(
        f"/api/v1/spaces/{managed['id']}/assignments",
        {"type": "group", "assigneeId": group["id"], "roles": ["consumer"]},
    )

    template = source.get("/api/v1/items?resourceType=app&name=inventory&spaceType=shared")["data"][0]
    location = source.send("POST", f"/api/v1/apps/{template['resourceId']}/export").headers["location"]
    imported = tenant.post(
        f"/api/v1/apps/import?spaceId={staging['id']}", data=source.get(location), expect=200
    )["attributes"]
    assert (imported["name"], imported["description"]) == ("Inventory", "Stock and turnover {v1.0.0}")
    published = tenant.post(f"/api/v1/apps/{imported['id']}/publish", {"spaceId": managed["id"]}, expect=200)
    assert published["attributes"]["originAppId"] == imported["id"]
    assert published["attributes"]["published"] is False
    assert published["attributes"]["publishTime"]

    tenants = Api(qlik, CONSOLE, "demo-org").login().everything("/api/core/tenants?limit=1")
    entry = next(entry for entry in tenants if entry["id"] == bot["tenantId"])
    assert (entry["name"], entry["status"]) == ("Globex", "active")

    tenant.on(REGISTER).login().post(
        f"/api/v1/tenants/{bot['tenantId']}/actions/deactivate",
        {"purgeAfterDays": 10},
        expect=200,
        headers={"qlik-confirm-hostname": tenant.host},
    )
    response = tenant.get("/api/v1/spaces", expect=401)
    assert response["errors"][0]["code"] == "TENANT_DISABLED"
    assert not qlik.control.health()["unknown"]
