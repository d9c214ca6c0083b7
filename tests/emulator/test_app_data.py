"""The metadata of an app's data. It follows from the load script, and copies and exports contain it."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.emulator.load_scripts import load
from tests.emulator.api import SOURCE, Api, new_tenant

SCRIPT = """
// the customer; a variable of the reload overrides it
SET vCustomer = 'template';
[Order lines]:
LOAD [Order id], Quantity, '$(vCustomer)' AS Customer FROM [lib://DataFiles/orders; new.csv] (txt);
Calendar:
LOAD RecNo() AS Day, Date(RecNo(), 'YYYY') AS Year AUTOGENERATE 365;
LET vOwner = Peek('Customer', 0, 'Order lines');
COMMENT FIELD Customer WITH '$(vOwner)';
COMMENT TABLE [Order lines] WITH 'one line each';
"""


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


@pytest.fixture
def space(tenant: Api) -> str:
    return str(tenant.post("/api/v1/spaces", {"name": "Staging", "type": "shared"})["id"])


@pytest.fixture
def app(tenant: Api, space: str) -> str:
    body = {"attributes": {"name": "Sales", "spaceId": space}}
    created = str(tenant.post("/api/v1/apps", body, expect=200)["attributes"]["id"])
    tenant.post(f"/api/v1/apps/{created}/scripts", {"script": SCRIPT}, expect=200)
    return created


def metadata(tenant: Api, app: str) -> Any:
    return tenant.get(f"/api/v1/apps/{app}/data/metadata")


def customer(tenant: Api, app: str) -> str:
    """Return the comment of the field Customer, which names the owner of the data."""
    fields = metadata(tenant, app).get("fields", [])
    return next((field["comment"] for field in fields if field["name"] == "Customer"), "no data")


def test_tables_and_fields_follow_from_the_script() -> None:
    data = load(SCRIPT, {"vCustomer": "Globex"}, 7)
    tables = {table["name"]: (table["no_of_rows"], table["comment"]) for table in data["tables"]}
    assert tables == {"Order lines": (7, "one line each"), "Calendar": (365, "")}
    fields = {field["name"]: (field["cardinal"], field["comment"]) for field in data["fields"]}
    assert fields == {
        "Order id": (7, ""),
        "Quantity": (7, ""),
        "Customer": (1, "Globex"),
        "Day": (365, ""),
        "Year": (365, ""),
    }


def test_a_hash_depends_on_the_data() -> None:
    hashes = [
        {field["name"]: field["hash"] for field in load(SCRIPT, {"vCustomer": name}, 7)["fields"]}
        for name in ("Globex", "Globex", "Acme")
    ]
    assert hashes[0] == hashes[1]
    assert {name for name in hashes[0] if hashes[0][name] != hashes[2][name]} == {"Customer"}


def test_an_app_without_data_has_empty_metadata(tenant: Api, app: str) -> None:
    assert metadata(tenant, app) == {}
    tenant.get("/api/v1/apps/none/data/metadata", expect=404)


def test_the_template_has_data(qlik: Emulator) -> None:
    source = Api(qlik, SOURCE).login()
    item = source.get("/api/v1/items", params={"resourceType": "app"})["data"][0]
    assert metadata(source, item["resourceId"])["tables"][0]["no_of_rows"] == 1


def test_the_data_comes_from_the_last_successful_reload(qlik: Emulator, tenant: Api, app: str) -> None:
    def reload(name: str) -> str:
        tenant.post("/api/v1/reloads", {"appId": app, "variables": {"vCustomer": name}})
        return customer(tenant, app)

    qlik.control.settings(reload_ms=60_000)
    assert reload("Globex") == "no data"
    qlik.control.advance(61)
    assert customer(tenant, app) == "Globex"
    qlik.control.settings(reload_ms=0, reload_rows=12)
    assert reload("Acme") == "Acme"
    assert metadata(tenant, app)["tables"][0]["no_of_rows"] == 12
    qlik.control.settings(reload_error="no route")
    assert reload("Initech") == "Acme"


def test_copies_and_exports_contain_the_data(tenant: Api, app: str, space: str) -> None:
    tenant.post("/api/v1/reloads", {"appId": app, "variables": {"vCustomer": "Globex"}})
    target = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "managed"})["id"]
    published = [
        tenant.post(f"/api/v1/apps/{app}/publish", {"spaceId": target, **data}, expect=200)["attributes"][
            "id"
        ]
        for data in ({}, {"data": "target"})
    ]
    assert [customer(tenant, id) for id in published] == ["Globex", "no data"]

    tenant.post("/api/v1/reloads", {"appId": app, "variables": {"vCustomer": "Acme"}})
    for id in published:
        body = {"targetId": id, "data": "target"}
        tenant.put(f"/api/v1/apps/{app}/publish", body)
    assert [customer(tenant, id) for id in published] == ["Globex", "no data"]
    for id in published:
        tenant.put(f"/api/v1/apps/{app}/publish", {"targetId": id})
    assert [customer(tenant, id) for id in published] == ["Acme", "Acme"]
    # Republishing also replaces data that the published app has loaded itself.
    tenant.post("/api/v1/reloads", {"appId": published[0], "variables": {"vCustomer": "Initech"}})
    assert customer(tenant, published[0]) == "Initech"
    tenant.put(f"/api/v1/apps/{app}/publish", {"targetId": published[0]})
    assert customer(tenant, published[0]) == "Acme"

    for query, expected in (({}, "Acme"), ({"NoData": "true"}, "no data")):
        location = tenant.send("POST", f"/api/v1/apps/{app}/export", params=query).headers["location"]
        content, params = tenant.get(location), {"spaceId": space}
        created = tenant.post("/api/v1/apps/import", data=content, params=params, expect=200)
        assert customer(tenant, created["attributes"]["id"]) == expected
