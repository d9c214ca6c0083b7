"""The catalogue: one item per app. New apps appear after a delay."""

from __future__ import annotations

import hashlib
from typing import Any

from tenantry.emulator.apis import apps
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.errors import Invalid, Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc

SORT_FIELDS = {"recentlyUsed": "updatedAt"}


@operation("items", "listItems")
def listing(call: Call) -> Reply:
    """Search the catalogue. `name` and `query` match parts of the text."""
    _check(call.query)
    found = [item for item in _all(call) if _matches_query(call.query, item)]
    return _page(call, found)


@operation("items", "getItem")
def get(call: Call) -> Reply:
    """Read an item by its own id."""
    return Reply(200, _view(call, _find(call)))


@operation("items", "listPublishedItems")
def published(call: Call) -> Reply:
    """List the published copies of a source app."""
    source = _find(call)["resourceId"]
    return _page(call, [item for item in _all(call) if item["resourceAttributes"]["originAppId"] == source])


def item_id(app_id: str) -> str:
    """Return the catalogue's own id of an app, which is never the app's id."""
    return hashlib.sha256(app_id.encode()).hexdigest()[:24]


def _all(call: Call) -> list[Doc]:
    lag = call.world.settings.items_lag_ms / 1000
    visible = [
        apps.with_last_reload(call.world, app)
        for app in call.store.all(call.tenant_id, "app")
        if "_deleted_at" not in app
        and app["_created_at"] + lag <= call.world.now()
        and apps.is_visible(call, app)
    ]
    space_types = {space["id"]: space["type"] for space in call.store.all(call.tenant_id, "space")}
    return [
        _item(call, app) | {"_space_type": space_types.get(app["spaceId"], "personal")} for app in visible
    ]


def _item(call: Call, app: Doc) -> Doc:
    created = app["createdDate"][:19] + "Z"
    updated = app["modifiedDate"][:19] + "Z"
    key = item_id(app["id"])
    item: Doc = {
        "id": key,
        "name": app["name"],
        "description": app["description"],
        "tenantId": call.tenant_id,
        "ownerId": app["ownerId"],
        "creatorId": app["_creator"],
        "updaterId": app["_updater"],
        "createdAt": created,
        "updatedAt": updated,
        "resourceType": "app",
        "resourceSubType": "",
        "resourceId": app["id"],
        "resourceCreatedAt": created,
        "resourceUpdatedAt": updated,
        "resourceAttributes": apps.attributes(app) | {"spaceId": app["spaceId"]},
        "resourceCustomAttributes": None,
        "resourceReloadStatus": "ok" if app["lastReloadTime"] else "",
        "resourceReloadEndTime": app["lastReloadTime"],
        "resourceSize": {"appFile": app["_size"], "appMemory": 0},
        "isFavorited": False,
        "collectionIds": [],
        "actions": ["read"],
        "meta": {"isFavorited": False, "actions": ["read"], "tags": [], "collections": []},
        "links": {
            "self": call.link(f"/api/v1/items/{key}"),
            "collections": call.link(f"/api/v1/items/{key}/collections"),
            "open": call.link(f"/sense/app/{app['id']}"),
        },
    }
    return item | ({"spaceId": app["spaceId"]} if app["spaceId"] else {})


def _find(call: Call) -> Doc:
    for item in _all(call):
        if item["id"] == call.path["itemId"]:
            return item
    raise Refusal(404)


def _page(call: Call, found: list[Doc]) -> Reply:
    data, links = page(call, found, default=10, sort="+createdAt", key=_sort_value)
    links["collection"] = call.link("/api/v1/items")
    return Reply(200, {"data": [_view(call, item) for item in data], "links": links})


def _sort_value(item: Doc, name: str) -> str:
    return str(item[SORT_FIELDS.get(name, name)]).casefold()


def _view(call: Call, item: Doc) -> Doc:
    hidden = {"_space_type"}
    if call.query.get("noActions"):
        hidden.add("actions")
    return {name: value for name, value in item.items() if name not in hidden}


def _check(query: dict[str, Any]) -> None:
    """Check the rules between parameters, which the schemas do not state."""
    for name in ("resourceId", "resourceIds", "resourceLink"):
        if name in query and "resourceType" not in query:
            raise Invalid("resourceType is required with this parameter", parameter=name)
    if "resourceId" in query and "resourceLink" in query:
        raise Invalid("cannot be combined with resourceLink", parameter="resourceId")
    if "resourceSubType" in query and "[" in query.get("resourceType", ""):
        raise Invalid("cannot be combined with the bracket form of resourceType", parameter="resourceSubType")
    if query.get("resourceIds", "").count(",") >= 100:
        raise Invalid("must have at most 100 ids", parameter="resourceIds")


def _matches_query(query: dict[str, Any], item: Doc) -> bool:
    exact = {
        "id": item["id"],
        "ownerId": item["ownerId"],
        "createdByUserId": item["creatorId"],
        "resourceId": item["resourceId"],
        "spaceId": item.get("spaceId", "personal"),
    }
    return (
        all(query.get(name, value) == value for name, value in exact.items())
        and query.get("notOwnerId") != item["ownerId"]
        and query.get("notCreatedByUserId") != item["creatorId"]
        and _contains(query.get("name", ""), item["name"])
        and any(_contains(query.get("query", ""), item[field]) for field in ("name", "description"))
        and _is_app(query)
        and item["_space_type"] in str(query.get("spaceType", item["_space_type"])).split(",")
        and ("resourceIds" not in query or item["resourceId"] in query["resourceIds"].split(","))
        # The emulator has no collections, no apps shared by link, and no resource links.
        and not query.get("shared")
        and "collectionId" not in query
        and "resourceLink" not in query
    )


def _contains(part: str, text: str) -> bool:
    return part.casefold() in text.casefold()


def _is_app(query: dict[str, Any]) -> bool:
    """Return whether resourceType and resourceSubType allow apps. The subtype of an app is empty."""
    types = query.get("resourceType", "app").replace("app[]", "app")
    subtype_fits = "" in query.get("resourceSubType", "").split(",")
    return subtype_fits and "app" in types.split(",")
