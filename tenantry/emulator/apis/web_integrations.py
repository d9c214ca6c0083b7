"""Web integrations: which origins may embed the tenant."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Invalid, Refusal
from tenantry.emulator.store import Doc
from tenantry.emulator.world import new_id

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/*?#@\s]+", re.IGNORECASE)


@operation("web-integrations", "getWebIntegrations")
def listing(call: Call) -> Reply:
    """A page, by ids instead of cursors."""
    query = call.query
    if "startingAfter" in query and "endingBefore" in query:
        raise Invalid("startingAfter and endingBefore exclude each other", parameter="startingAfter")
    found = call.store.all(call.tenant_id, "web-integration")
    if query.get("tenantId", call.tenant_id) != call.tenant_id:
        found = []
    descending = query.get("sort", "+name").startswith("-")
    found.sort(key=lambda doc: (doc["name"].casefold(), doc["id"]), reverse=descending)
    start, end = _bounds(found, query)
    links = {"self": {"href": _href(call)}}
    if start < end < len(found):
        links["next"] = {"href": _href(call, startingAfter=found[end - 1]["id"])}
    if 0 < start < end:
        links["prev"] = {"href": _href(call, endingBefore=found[start]["id"])}
    return Reply(200, {"data": found[start:end], "links": links})


@operation("web-integrations", "createWebIntegration")
def create(call: Call) -> Reply:
    """Make one; names are no key."""
    _check(call.body["name"], call.body.get("validOrigins", []))
    now = iso(call.world.now())
    made: Doc = {
        "id": new_id(),
        "name": call.body["name"],
        "tenantId": call.tenant_id,
        "validOrigins": call.body.get("validOrigins", []),
        "created": now,
        "createdBy": call.user_id,
        "lastUpdated": now,
    }
    call.store.put(call.tenant_id, "web-integration", made)
    return Reply(201, made | {"links": {"self": call.link(f"/api/v1/web-integrations/{made['id']}")}})


@operation("web-integrations", "getWebIntegrationById")
def get(call: Call) -> Reply:
    """Read one."""
    return Reply(200, _find(call))


@operation("web-integrations", "updateWebIntegrationById")
def patch(call: Call) -> Reply:
    """Replace the name or all origins."""
    doc = _find(call)
    for change in call.body:
        name = change["path"][1:]
        if isinstance(change["value"], str) != (name == "name"):
            detail = "value must be a string" if name == "name" else "value must be a list of origins"
            raise Refusal(400, code="WEBINTEGRATIONS-4", detail=detail, source={"pointer": change["path"]})
        doc[name] = change["value"]
    _check(doc["name"], doc["validOrigins"])
    call.store.put(call.tenant_id, "web-integration", doc | {"lastUpdated": iso(call.world.now())})
    return Reply(204)


@operation("web-integrations", "deleteWebIntegrationById")
def delete(call: Call) -> Reply:
    """Remove one."""
    call.store.delete(call.tenant_id, "web-integration", _find(call)["id"])
    return Reply(204)


def _find(call: Call) -> Doc:
    doc = call.store.get(call.tenant_id, "web-integration", call.path["id"])
    if doc is None:
        raise Refusal(404)
    return doc


def _check(name: str, origins: list[str]) -> None:
    if not name:
        raise Refusal(400, detail="name must not be empty", source={"pointer": "/name"})
    for index, origin in enumerate(origins):
        if not ORIGIN.fullmatch(origin):
            detail = "an origin is scheme://host[:port], without wildcards"
            raise Refusal(400, detail=detail, source={"pointer": f"/validOrigins/{index}"})


def _bounds(found: list[Doc], query: dict[str, Any]) -> tuple[int, int]:
    size = int(query.get("limit", 10))
    ids = [doc["id"] for doc in found]
    for name in ("startingAfter", "endingBefore"):
        if name in query and query[name] not in ids:
            raise Invalid("not an id of this list", parameter=name)
    if "endingBefore" in query:
        end = ids.index(query["endingBefore"])
        return max(0, end - size), end
    start = ids.index(query["startingAfter"]) + 1 if "startingAfter" in query else 0
    return start, min(start + size, len(ids))


def _href(call: Call, **cursor: str) -> str:
    kept = {key: value for key, value in call.query.items() if key not in ("startingAfter", "endingBefore")}
    query = urlencode(kept | cursor)
    return call.url("/api/v1/web-integrations" + (f"?{query}" if query else ""))
