"""Data connections: how the apps of a space reach a source of data."""

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
SECRETS = frozenset({"password", "token", "secretKey", "privateKey"})
"""Properties that are taken and never shown."""
NOT_CREATED = frozenset({"id", "tenant", "datasourceID", "tags"})
"""What the answer of a POST lacks."""
HOSTS = frozenset({"host", "server", "url"})
"""Properties whose change takes credentials in the same request."""


@operation("data-connections", "getDataConnections")
def listing(call: Call) -> Reply:
    """The connections of a space, or all that the caller may see; without their properties."""
    space = call.query.get("spaceId")
    docs = call.store.all(call.tenant_id, KIND)
    found = [each for each in docs if space in (None, each["space"])]
    docs, links = page(call, found, default=max(1, len(found)), sort="qName")
    links.setdefault("self", call.link("/api/v1/data-connections"))
    return Reply(200, {"data": [_view(call, each) for each in docs], "links": links})


@operation("data-connections", "createDataConnection")
def create(call: Call) -> Reply:
    """Make one; a name belongs to one of its space."""
    space = call.body.get("space", "")
    if space:
        _must_manage(call, space)
    _check_name(call, call.body["qName"], space)
    id, now = str(uuid.uuid4()), iso(call.world.now())
    made: Doc = {
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
    _set(made, call.body["connectionProperties"])
    call.store.put(call.tenant_id, KIND, made)
    answer = _view(call, made) | {"qLogOn": "0"}
    return Reply(201, {key: value for key, value in answer.items() if key not in NOT_CREATED})


@operation("data-connections", "getDataConnection")
def get(call: Call) -> Reply:
    """Read one, with its properties if `parseConnection` asks for them."""
    doc = _find(call)
    more = {"connectionProperties": doc["_properties"]} if call.query.get("parseConnection") else {}
    return Reply(200, _view(call, doc) | more)


@operation("data-connections", "patchDataConnection")
def patch(call: Call) -> Reply:
    """Change name, tags or single properties; a new host takes the credentials along."""
    doc = _find(call)
    _must_manage(call, doc["space"])
    given: dict[str, Any] = {}
    for change in call.body:
        field, _, inner = change["path"][1:].partition("/")
        if field == "connectionProperties" and inner:
            given[inner] = change["value"]
        elif field == "qName":
            _check_name(call, change["value"], doc["space"], doc["id"])
            doc[field] = change["value"]
        elif field == "tags":
            doc[field] = change["value"]
        else:
            raise Refusal(400, code="DCERROR-0010", detail=f"no such path: {change['path']}")
    if HOSTS & given.keys() and doc["_secret"] and not SECRETS & given.keys():
        raise Refusal(400, code="DCERROR-0010", detail="a new host takes its credentials in the same request")
    _set(doc, given)
    call.store.put(call.tenant_id, KIND, doc | {"updated": iso(call.world.now())})
    return Reply(204)


@operation("data-connections", "deleteDataConnection")
def delete(call: Call) -> Reply:
    """Remove one."""
    doc = _find(call)
    _must_manage(call, doc["space"])
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
    """Take properties; what is secret is kept apart, for tests alone to look at."""
    for where, secret in (("_properties", False), ("_secret", True)):
        some = {name: value for name, value in properties.items() if (name in SECRETS) is secret}
        doc[where] = {**doc.get(where, {}), **some}


def _must_manage(call: Call, space: str) -> None:
    there = call.store.get(call.tenant_id, "space", space)
    if there is None:
        raise Refusal(400, code="DCERROR-0010", detail="no such space")
    spaces.must_manage(call, there)


def _check_name(call: Call, name: str, space: str, own_id: str = "") -> None:
    if not name:
        raise Refusal(400, code="DCERROR-0010", detail="qName must not be empty")
    for other in call.store.all(call.tenant_id, KIND):
        if (other["qName"], other["space"]) == (name, space) and other["id"] != own_id:
            raise Refusal(409, detail="a data connection of this name is in the space already")
