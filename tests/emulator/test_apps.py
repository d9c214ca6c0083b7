"""Apps: files, spaces, publishing."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import SOURCE, Api, new_tenant

QVF = b"any bytes at all"


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


@pytest.fixture
def staging(tenant: Api) -> str:
    return str(tenant.post("/api/v1/spaces", {"name": "Staging", "type": "shared"})["id"])


@pytest.fixture
def sales(tenant: Api) -> str:
    return str(tenant.post("/api/v1/spaces", {"name": "Sales", "type": "managed"})["id"])


def import_app(tenant: Api, space: str, name: str = "App", data: bytes = QVF, **query: Any) -> dict[str, Any]:
    params = {"spaceId": space, "name": name, **query}
    return dict(tenant.post("/api/v1/apps/import", data=data, params=params, expect=200)["attributes"])


def publish(tenant: Api, app: str, body: dict[str, Any], expect: int = 200) -> Any:
    return tenant.post(f"/api/v1/apps/{app}/publish", body, expect=expect)


def template(source: Api, name: str, space_type: str = "shared") -> str:
    found = source.get(f"/api/v1/items?resourceType=app&name={name}&spaceType={space_type}")["data"]
    return str(found[0]["resourceId"])


def export(source: Api, app: str, query: str = "") -> bytes:
    location = source.send("POST", f"/api/v1/apps/{app}/export{query}").headers["location"]
    assert location.startswith("/api/v1/temp-contents/")
    return bytes(source.get(location))


def test_every_import_is_a_new_app(tenant: Api, staging: str) -> None:
    first, second = import_app(tenant, staging), import_app(tenant, staging)
    assert first["id"] != second["id"]
    assert first["spaceId"] == second["spaceId"] == staging


def test_an_export_contains_name_and_description(qlik: Emulator, tenant: Api, staging: str) -> None:
    source = Api(qlik, SOURCE).login()
    app = import_app(tenant, staging, name="", data=export(source, template(source, "inventory")))
    assert (app["name"], app["description"]) == ("Inventory", "Stock and turnover {v1.0.0}")
    renamed = tenant.put(
        f"/api/v1/apps/{app['id']}", {"attributes": {"name": "Stock", "description": "Mine"}}
    )
    assert renamed["attributes"]["modifiedDate"] > app["modifiedDate"]
    reimported = import_app(tenant, staging, name="", data=export(tenant, app["id"]))
    assert (reimported["name"], reimported["description"]) == ("Stock", "Mine")


def test_an_export_without_data_imports_without_data(qlik: Emulator, tenant: Api, staging: str) -> None:
    source = Api(qlik, SOURCE).login()
    app = template(source, "inventory")
    assert import_app(tenant, staging, data=export(source, app))["lastReloadTime"]
    assert import_app(tenant, staging, data=export(source, app, "?NoData=true"))["lastReloadTime"] == ""


def test_an_export_from_a_managed_space_or_by_a_non_member_is_refused(qlik: Emulator) -> None:
    source = Api(qlik, SOURCE).login()
    source.post(f"/api/v1/apps/{template(source, 'inventory', 'managed')}/export", expect=403)
    locked = template(source, "board")
    source.get(f"/api/v1/apps/{locked}")
    source.post(f"/api/v1/apps/{locked}/export", expect=403)
    source.put(f"/api/v1/apps/{locked}", {"attributes": {"name": "Mine"}}, expect=403)

    space = source.get("/api/v1/spaces?name=locked")["data"][0]
    me = source.send("GET", "/api/v1/users/me").headers["location"].rsplit("/", 1)[1]
    path = f"/api/v1/spaces/{space['id']}/assignments"
    member = source.post(path, {"type": "user", "assigneeId": me, "roles": ["consumer"]})
    source.post(f"/api/v1/apps/{locked}/export", expect=403)
    source.put(f"{path}/{member['id']}", {"roles": ["producer"]})
    assert export(source, locked)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"mode": "autoreplace"}, 403),
        ({"appId": "x"}, 400),
        ({"fileId": "nothing"}, 400),
        ({"spaceId": "nothing"}, 404),
        ({"spaces": "x"}, 400),
        ({"mode": "new"}, 200),
    ],
)
def test_the_parameters_of_an_import_are_checked(tenant: Api, query: dict[str, str], status: int) -> None:
    tenant.post("/api/v1/apps/import", data=QVF, params=query, expect=status)


def test_an_app_can_only_be_published_into_a_managed_space(tenant: Api, staging: str, sales: str) -> None:
    tenant.post("/api/v1/apps/import", data=QVF, params={"spaceId": sales}, expect=403)
    app = import_app(tenant, staging)["id"]
    tenant.put(f"/api/v1/apps/{app}/space", {"spaceId": sales}, expect=403)
    publish(tenant, app, {"spaceId": staging}, expect=400)
    publish(tenant, app, {"spaceId": "nothing"}, expect=404)
    publish(tenant, app, {}, expect=400)


def test_publishing_twice_creates_two_copies(tenant: Api, staging: str, sales: str) -> None:
    app = import_app(tenant, staging)["id"]
    copies = [publish(tenant, app, {"spaceId": sales})["attributes"] for _ in range(2)]
    assert len({copy["id"] for copy in copies} | {app}) == 3
    item = tenant.get(f"/api/v1/items?resourceType=app&resourceId={app}")["data"][0]
    assert item["id"] != app
    published = tenant.everything(f"/api/v1/items/{item['id']}/publisheditems?limit=1")
    assert {entry["resourceId"] for entry in published} == {copy["id"] for copy in copies}


def test_a_published_copy_survives_the_deletion_of_its_source(tenant: Api, staging: str, sales: str) -> None:
    app = import_app(tenant, staging)["id"]
    copy = publish(tenant, app, {"spaceId": sales, "attributes": {"name": "Sales", "description": "2.3.0"}})
    tenant.delete(f"/api/v1/apps/{app}", expect=200)
    assert tenant.get(f"/api/v1/apps/{copy['attributes']['id']}") == copy
    tenant.get(f"/api/v1/apps/{app}", expect=404)


def test_republishing_keeps_the_id_and_name_and_updates_the_publish_time(
    qlik: Emulator, tenant: Api, staging: str, sales: str
) -> None:
    first, second = import_app(tenant, staging)["id"], import_app(tenant, staging)["id"]
    copy = publish(tenant, first, {"spaceId": sales, "attributes": {"name": "Sales"}})["attributes"]
    path = f"/api/v1/apps/{second}/publish"
    tenant.put(path, {"targetId": copy["id"]}, expect=400)
    tenant.put(path, {"targetId": first, "checkOriginAppId": False}, expect=400)
    tenant.put(path, {"targetId": "nothing", "checkOriginAppId": False}, expect=404)
    qlik.control.advance(60)
    republished = tenant.put(path, {"targetId": copy["id"], "checkOriginAppId": False})["attributes"]
    assert (republished["id"], republished["name"], republished["originAppId"]) == (
        copy["id"],
        "Sales",
        second,
    )
    assert republished["publishTime"] > copy["publishTime"]
    assert republished["createdDate"] == copy["createdDate"]


def test_republishing_can_keep_or_replace_the_data(
    qlik: Emulator, tenant: Api, staging: str, sales: str
) -> None:
    source = Api(qlik, SOURCE).login()
    full = import_app(tenant, staging, data=export(source, template(source, "inventory")))
    empty = import_app(tenant, staging)
    copy = publish(tenant, full["id"], {"spaceId": sales})["attributes"]
    assert copy["lastReloadTime"] == full["lastReloadTime"]
    body = {"targetId": copy["id"], "checkOriginAppId": False}
    path = f"/api/v1/apps/{empty['id']}/publish"
    republished = tenant.put(path, body | {"data": "target"})["attributes"]
    assert republished["lastReloadTime"] == full["lastReloadTime"]
    assert tenant.put(path, body)["attributes"]["lastReloadTime"] == ""


def test_a_new_publication_is_not_readable_immediately(
    qlik: Emulator, tenant: Api, staging: str, sales: str
) -> None:
    qlik.control.settings(publish_ready_ms=120_000)
    copy = publish(tenant, import_app(tenant, staging)["id"], {"spaceId": sales})["attributes"]["id"]
    tenant.get(f"/api/v1/apps/{copy}", expect=403)
    qlik.control.advance(121)
    tenant.get(f"/api/v1/apps/{copy}")


def test_a_new_space_refuses_publications_for_a_while(qlik: Emulator, tenant: Api, staging: str) -> None:
    qlik.control.settings(space_ready_ms=60_000)
    space = tenant.post("/api/v1/spaces", {"name": "New", "type": "managed"})["id"]
    app = import_app(tenant, staging)["id"]
    publish(tenant, app, {"spaceId": space}, expect=403)
    qlik.control.advance(61)
    publish(tenant, app, {"spaceId": space})


def test_items_list_a_new_app_late(qlik: Emulator, tenant: Api, staging: str) -> None:
    qlik.control.settings(items_lag_ms=60_000)
    app = import_app(tenant, staging)["id"]
    assert tenant.get("/api/v1/items")["data"] == []
    tenant.get(f"/api/v1/apps/{app}")
    qlik.control.advance(61)
    assert [item["resourceId"] for item in tenant.get("/api/v1/items")["data"]] == [app]


def test_the_catalogue_finds_substrings_and_has_pages(tenant: Api, staging: str) -> None:
    names = [f"Sales {number}" for number in range(23)] + ["SALES overview", "Other"]
    for name in names:
        import_app(tenant, staging, name=name)
    assert len(tenant.get("/api/v1/items?name=sales")["data"]) == 10
    found = tenant.everything("/api/v1/items?resourceType=app&name=sales&limit=7&sort=-name&noActions=true")
    assert [item["name"] for item in found] == sorted(names[:-1], key=str.casefold, reverse=True)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "sort=name", "resourceId=1", "resourceType=app&colour=red", "next=x"]
)
def test_bad_item_queries_are_refused(tenant: Api, query: str) -> None:
    tenant.get(f"/api/v1/items?{query}", expect=400)


def test_the_deletion_of_an_app_older_than_45_minutes_is_soft(
    qlik: Emulator, tenant: Api, staging: str
) -> None:
    young, old = import_app(tenant, staging)["id"], import_app(tenant, staging)["id"]
    tenant.delete(f"/api/v1/apps/{young}", expect=200)
    qlik.control.advance(46 * 60)
    tenant.delete(f"/api/v1/apps/{old}", expect=200)
    for app in (young, old):
        tenant.get(f"/api/v1/apps/{app}", expect=404)
    assert tenant.get("/api/v1/items")["data"] == []
    tenant.post(f"/api/analytics/apps/{young}/actions/restore", expect=404)
    assert tenant.post(f"/api/analytics/apps/{old}/actions/restore", expect=200)["attributes"]["id"] == old
    tenant.get(f"/api/v1/apps/{old}")


def test_a_soft_deleted_app_cannot_be_restored_after_14_days(
    qlik: Emulator, tenant: Api, staging: str
) -> None:
    app = import_app(tenant, staging)["id"]
    qlik.control.advance(3600)
    tenant.delete(f"/api/v1/apps/{app}", expect=200)
    qlik.control.advance(15 * 86_400)
    tenant.login().post(f"/api/analytics/apps/{app}/actions/restore", expect=404)


def test_an_app_moves_between_spaces_and_owners(qlik: Emulator, tenant: Api, staging: str) -> None:
    app = import_app(tenant, staging)["id"]
    other = tenant.post("/api/v1/spaces", {"name": "Other", "type": "shared"})["id"]
    moved = tenant.put(f"/api/v1/apps/{app}/space", {"spaceId": other})["attributes"]
    assert (moved["id"], moved["spaceId"]) == (app, other)
    tenant.delete(f"/api/v1/spaces/{staging}")
    assert "spaceId" not in tenant.delete(f"/api/v1/apps/{app}/space", expect=200)["attributes"]
    user = tenant.post("/api/v1/users", {"subject": "s", "name": "New owner", "status": "active"})["id"]
    tenant.put(f"/api/v1/apps/{app}/owner", {"ownerId": user})
    tenant.get(f"/api/v1/apps/{app}", expect=403)


def test_an_app_can_be_created_empty_and_copied(tenant: Api, staging: str) -> None:
    attributes = {"name": "Blank", "spaceId": staging, "usage": "ANALYTICS"}
    app = tenant.post("/api/v1/apps", {"attributes": attributes}, expect=200)["attributes"]
    assert app["spaceId"] == staging
    copy = tenant.post(f"/api/v1/apps/{app['id']}/copy", {"attributes": {"name": "Two"}}, expect=200)[
        "attributes"
    ]
    assert copy["name"] == "Two"
    assert "spaceId" not in copy
