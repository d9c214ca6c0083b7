"""Load scripts with versions, and reloads that take time."""

from __future__ import annotations

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, error, new_tenant

SCRIPT = "Orders:\nLOAD * FROM [lib://Sales DB/orders] (txt);"
CONNECTION = {"qName": "Sales DB", "datasourceID": "postgres", "connectionProperties": {}}


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


@pytest.fixture
def space(tenant: Api) -> str:
    return str(tenant.post("/api/v1/spaces", {"name": "Staging", "type": "shared"})["id"])


@pytest.fixture
def app(tenant: Api, space: str) -> str:
    body = {"attributes": {"name": "Sales", "spaceId": space}}
    return str(tenant.post("/api/v1/apps", body, expect=200)["attributes"]["id"])


def reloaded_at(tenant: Api, app: str) -> str:
    return str(tenant.get(f"/api/v1/apps/{app}")["attributes"]["lastReloadTime"])


def test_a_script_has_versions(tenant: Api, app: str) -> None:
    first = tenant.get(f"/api/v1/apps/{app}/scripts/current")["script"]
    for number, message in enumerate(("one", "two")):
        body = {"script": f"{SCRIPT}//{number}", "versionMessage": message}
        tenant.post(f"/api/v1/apps/{app}/scripts", body, expect=200)
    assert first != SCRIPT
    current = tenant.get(f"/api/v1/apps/{app}/scripts/current")
    assert current == {"script": f"{SCRIPT}//1", "versionMessage": "two"}
    history = tenant.get(f"/api/v1/apps/{app}/scripts")["scripts"]
    assert [version["versionMessage"] for version in history] == ["two", "one"]
    older = tenant.get(f"/api/v1/apps/{app}/scripts/{history[1]['scriptId']}")
    assert older["script"] == f"{SCRIPT}//0"
    assert len(tenant.get(f"/api/v1/apps/{app}/scripts", params={"limit": "1"})["scripts"]) == 1
    tenant.get(f"/api/v1/apps/{app}/scripts/none", expect=404)


def test_an_export_contains_the_script(tenant: Api, app: str, space: str) -> None:
    tenant.post(f"/api/v1/apps/{app}/scripts", {"script": SCRIPT}, expect=200)
    location = tenant.send("POST", f"/api/v1/apps/{app}/export").headers["location"]
    content = tenant.get(location)
    other = tenant.post("/api/v1/apps/import", data=content, params={"spaceId": space}, expect=200)
    assert tenant.get(f"/api/v1/apps/{other['attributes']['id']}/scripts/current")["script"] == SCRIPT


def test_a_reload_takes_as_long_as_the_setting_says(qlik: Emulator, tenant: Api, app: str) -> None:
    qlik.control.settings(reload_ms=60_000)
    created = tenant.post("/api/v1/reloads", {"appId": app, "variables": {"vCustomer": "acme"}})
    assert created["status"] == "QUEUED"
    response = tenant.send("POST", "/api/v1/reloads", json={"appId": app})
    assert (response.status_code, error(response.json())["code"]) == (429, "RELOADS-004")
    states = []
    for _ in range(4):
        states.append(
            (tenant.get(f"/api/v1/reloads/{created['id']}")["status"], bool(reloaded_at(tenant, app)))
        )
        qlik.control.advance(20)
    assert states == [("QUEUED", False), ("RELOADING", False), ("RELOADING", False), ("SUCCEEDED", True)]
    assert tenant.send("POST", f"/api/v1/reloads/{created['id']}/actions/cancel").status_code == 409
    tenant.post("/api/v1/reloads", {"appId": app})
    page = tenant.get("/api/v1/reloads", params={"appId": app, "filter": 'status eq "SUCCEEDED"'})
    assert [(reload["id"], "log" in reload) for reload in page["data"]] == [(created["id"], False)]


def test_a_reload_fails_with_the_error_of_the_setting(qlik: Emulator, tenant: Api, app: str) -> None:
    qlik.control.settings(reload_error="Connector connect error: no route")
    created = tenant.post("/api/v1/reloads", {"appId": app})
    found = tenant.get(f"/api/v1/reloads/{created['id']}")
    assert (found["status"], found["errorMessage"]) == ("FAILED", "Connector connect error: no route")
    assert "The error occurred here:\nCustomers:\nLOAD" in found["log"]
    assert reloaded_at(tenant, app) == ""


def test_a_reload_needs_the_connections_of_the_script(tenant: Api, app: str, space: str) -> None:
    tenant.post(f"/api/v1/apps/{app}/scripts", {"script": SCRIPT}, expect=200)
    created = tenant.post("/api/v1/reloads", {"appId": app})
    assert "'Sales DB' was not found" in tenant.get(f"/api/v1/reloads/{created['id']}")["errorMessage"]
    tenant.post("/api/v1/data-connections", CONNECTION | {"space": space})
    for script in (SCRIPT, SCRIPT.replace("lib://", "lib://Staging:"), "LIB CONNECT TO 'Staging:Sales DB';"):
        tenant.post(f"/api/v1/apps/{app}/scripts", {"script": script}, expect=200)
        created = tenant.post("/api/v1/reloads", {"appId": app})
        assert tenant.get(f"/api/v1/reloads/{created['id']}")["status"] == "SUCCEEDED"


def test_a_running_reload_can_be_cancelled(qlik: Emulator, tenant: Api, app: str) -> None:
    qlik.control.settings(reload_ms=60_000)
    created = tenant.post("/api/v1/reloads", {"appId": app})
    tenant.post(f"/api/v1/reloads/{created['id']}/actions/cancel", expect=202)
    qlik.control.advance(61)
    assert tenant.get(f"/api/v1/reloads/{created['id']}")["status"] == "CANCELED"
    assert reloaded_at(tenant, app) == ""
