"""Data connections: how the apps of a space connect to a data source."""

from __future__ import annotations

import uuid
from typing import Any

from tenantry.emulator.apis import spaces
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc, public

KIND = "data-connection"
SECRET_PROPERTIES = frozenset({"password", "token", "secretKey", "privateKey"})
"""Properties that are accepted and never shown."""
MISSING_AFTER_POST = frozenset({"id", "tenant", "datasourceID", "tags"})
"""Members that are missing from the response to a POST."""
HOST_PROPERTIES = frozenset({"host", "server", "url"})
"""Properties that you can change only together with the credentials."""


@operation("data-connections", "getDataConnections")
def listing(call: Call) -> Reply:
    """List the connections of a space, or of all spaces. The list does not show their properties."""
    space = call.query.get("spaceId")
    docs = call.store.all(call.tenant_id, KIND)
    found = [doc for doc in docs if space in (None, doc["space"])]
    docs, links = page(call, found, default=max(1, len(found)), sort="qName")
    links.setdefault("self", call.link("/api/v1/data-connections"))
    return Reply(200, {"data": [_view(call, doc) for doc in docs], "links": links})


@operation("data-connections", "createDataConnection")
def create(call: Call) -> Reply:
    """Create a connection. Its name is unique in the space."""
    space = call.body.get("space", "")
    if space:
        _require_manager(call, space)
    _check_name(call, call.body["qName"], space)
    id, now = str(uuid.uuid4()), iso(call.world.now())
    created: Doc = {
        "id": id,
        "qID": id,
        "qEngineObjectID": id,
        "qName": call.body["qName"],
        "qType": "QvOdbcConnectorPackage.exe",
        "qConnectStatement": "CUSTOM CONNECT TO",
        "qLogOn": 0,
        "qArchitecture": 0,
        "qSeparateCredentials": False,
        "datasourceID": call.body["datasourceID"],
        "space": space,
        "tags": call.body.get("tags", []),
        "user": call.user_id,
        "tenant": call.tenant_id,
        "created": now,
        "updated": now,
    }
    _set(created, call.body["connectionProperties"])
    call.store.put(call.tenant_id, KIND, created)
    response = _view(call, created) | {"qLogOn": "0"}
    return Reply(201, {key: value for key, value in response.items() if key not in MISSING_AFTER_POST})


@operation("data-connections", "getDataConnection")
def get(call: Call) -> Reply:
    """Read a connection. With `parseConnection`, include its properties."""
    doc = _find(call)
    result = _view(call, doc)
    if call.query.get("parseConnection"):
        result["connectionProperties"] = doc["_properties"]
    return Reply(200, result)


@operation("data-connections", "patchDataConnection")
def patch(call: Call) -> Reply:
    """Change the name, the tags or single properties. A new host needs the credentials in the same PATCH."""
    doc = _find(call)
    _require_manager(call, doc["space"])
    new_properties: dict[str, Any] = {}
    for change in call.body:
        field, _, inner = change["path"][1:].partition("/")
        if field == "connectionProperties" and inner:
            new_properties[inner] = change["value"]
        elif field == "qName":
            _check_name(call, change["value"], doc["space"], doc["id"])
            doc[field] = change["value"]
        elif field == "tags":
            doc[field] = change["value"]
        else:
            raise Refusal(400, code="DCERROR-0010", detail=f"unknown path: {change['path']}")
    if (
        HOST_PROPERTIES & new_properties.keys()
        and doc["_secret"]
        and not SECRET_PROPERTIES & new_properties.keys()
    ):
        raise Refusal(400, code="DCERROR-0010", detail="a new host needs the credentials in the same request")
    _set(doc, new_properties)
    call.store.put(call.tenant_id, KIND, doc | {"updated": iso(call.world.now())})
    return Reply(204)


@operation("data-connections", "deleteDataConnection")
def delete(call: Call) -> Reply:
    """Delete a connection."""
    doc = _find(call)
    _require_manager(call, doc["space"])
    call.store.delete(call.tenant_id, KIND, doc["id"])
    return Reply(204)


def _find(call: Call) -> Doc:
    doc = call.store.get(call.tenant_id, KIND, call.path["qID"])
    if doc is None:
        raise Refusal(404)
    return doc


def _view(call: Call, doc: Doc) -> Doc:
    links = {"self": call.link(f"/api/v1/data-connections/{doc['id']}")}
    return public(doc) | {"privileges": ["list", "update", "delete", "read"], "links": links}


def _set(doc: Doc, properties: dict[str, Any]) -> None:
    """Store properties. Secret ones are stored separately, and only tests can see them."""
    for key, is_secret in (("_properties", False), ("_secret", True)):
        selected = {
            name: value for name, value in properties.items() if (name in SECRET_PROPERTIES) is is_secret
        }
        doc[key] = {**doc.get(key, {}), **selected}


def _require_manager(call: Call, space: str) -> None:
    found = call.store.get(call.tenant_id, "space", space)
    if found is None:
        raise Refusal(400, code="DCERROR-0010", detail="there is no such space")
    spaces.require_manager(call, found)


def _check_name(call: Call, name: str, space: str, own_id: str = "") -> None:
    if not name:
        raise Refusal(400, code="DCERROR-0010", detail="qName must not be empty")
    for other in call.store.all(call.tenant_id, KIND):
        if (other["qName"], other["space"]) == (name, space) and other["id"] != own_id:
            raise Refusal(409, detail="the space already has a data connection of this name")
