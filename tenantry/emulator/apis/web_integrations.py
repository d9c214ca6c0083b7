"""Web integrations: the origins that may embed the tenant."""

from __future__ import annotations

import re

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page_by_ids
from tenantry.emulator.store import Doc
from tenantry.emulator.world import new_id

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/*?#@\s]+", re.IGNORECASE)


@operation("web-integrations", "getWebIntegrations")
def listing(call: Call) -> Reply:
    """Return a page. The cursors are ids."""
    query = call.query
    found = call.store.all(call.tenant_id, "web-integration")
    if query.get("tenantId", call.tenant_id) != call.tenant_id:
        found = []
    descending = query.get("sort", "+name").startswith("-")
    found.sort(key=lambda doc: (doc["name"].casefold(), doc["id"]), reverse=descending)
    data, links = page_by_ids(call, found, default=10)
    return Reply(200, {"data": data, "links": links})


@operation("web-integrations", "createWebIntegration")
def create(call: Call) -> Reply:
    """Create a web integration. Names are not unique."""
    _check(call.body["name"], call.body.get("validOrigins", []))
    now = iso(call.world.now())
    created: Doc = {
        "id": new_id(),
        "name": call.body["name"],
        "tenantId": call.tenant_id,
        "validOrigins": call.body.get("validOrigins", []),
        "created": now,
        "createdBy": call.user_id,
        "lastUpdated": now,
    }
    call.store.put(call.tenant_id, "web-integration", created)
    return Reply(201, created | {"links": {"self": call.link(f"/api/v1/web-integrations/{created['id']}")}})


@operation("web-integrations", "getWebIntegrationById")
def get(call: Call) -> Reply:
    """Read a web integration."""
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
    """Delete a web integration."""
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
            detail = "an origin must be scheme://host[:port] without wildcards"
            raise Refusal(400, detail=detail, source={"pointer": f"/validOrigins/{index}"})
