"""Automations. The emulator stores their definitions and never runs them."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import Doc

API = "automations"
KIND = "automation"
FILTERED = {"name": "eq", "runMode": "eq", "lastRunStatus": "eq", "ownerId": "eq", "spaceId": "eq"}
MINUTE = 60


@operation(API, "getAutomations")
def listing(call: Call) -> Reply:
    """Return a page. An administrator can list all automations, other callers only their own."""
    found = call.store.all(call.tenant_id, KIND)
    if not (call.is_admin and call.query.get("listAll", True)):
        found = [doc for doc in found if doc["ownerId"] == call.user_id]
    if text := call.query.get("filter"):
        matches = compile_filter(text, FILTERED)
        found = [doc for doc in found if matches(doc)]
    data, links = page(call, found, default=100, sort="id", cursors=("cursor", ""))
    entries = [{name: value for name, value in doc.items() if name != "schedules"} for doc in data]
    return Reply(200, {"data": entries, "links": {name: links[name] for name in links if name != "self"}})


@operation(API, "createAutomation")
def create(call: Call) -> Reply:
    """Create an automation. Names are not unique."""
    _check_space(call, call.body.get("spaceId", ""))
    now = iso(call.world.now())
    created: Doc = {
        "id": str(uuid.uuid4()),
        "state": "available",
        "ownerId": call.user_id,
        "spaceId": call.body.get("spaceId", ""),
        "createdAt": now,
        "executionToken": secrets.token_urlsafe(32),
    }
    return Reply(201, _write(call, created, now))


@operation(API, "getAutomation")
def get(call: Call) -> Reply:
    """Read one of the caller's own automations."""
    return Reply(200, _find_own(call))


@operation(API, "updateAutomation")
def put(call: Call) -> Reply:
    """Replace an automation. Members missing from the body become empty."""
    old = _find_own(call)
    body = {"name": old["name"], **call.body}
    return Reply(200, _write(call, old, iso(call.world.now()), body))


@operation(API, "deleteAutomation")
def delete(call: Call) -> Reply:
    """Delete an automation. An administrator can delete any user's automations."""
    doc = _find(call)
    if not call.is_admin:
        _find_own(call)
    call.store.delete(call.tenant_id, KIND, doc["id"])
    return Reply(204)


@operation(API, "enableAutomation")
def enable(call: Call) -> Reply:
    """Enable an automation."""
    call.store.put(call.tenant_id, KIND, _find(call) | {"state": "available"})
    return Reply(204)


@operation(API, "disableAutomation")
def disable(call: Call) -> Reply:
    """Disable an automation."""
    call.store.put(call.tenant_id, KIND, _find(call) | {"state": "disabled"})
    return Reply(204)


@operation(API, "automationChangeOwner")
def change_owner(call: Call) -> Reply:
    """Change the owner of an automation."""
    doc = _find(call)
    if not call.is_admin:
        raise Refusal(403)
    if call.store.get(call.tenant_id, "user", call.body["userId"]) is None:
        raise Refusal(400, detail="there is no user with this id")
    call.store.put(call.tenant_id, KIND, doc | {"ownerId": call.body["userId"]})
    return Reply(204)


@operation(API, "automationChangeSpace")
def change_space(call: Call) -> Reply:
    """Move an automation to a shared space or the owner's personal space."""
    doc = _find_own(call)
    space = (call.body or {}).get("spaceId", "")
    _check_space(call, space)
    call.store.put(call.tenant_id, KIND, doc | {"spaceId": space})
    return Reply(204)


def _check_space(call: Call, id: str) -> None:
    found = call.store.get(call.tenant_id, "space", id) if id else {"type": "shared"}
    if found is None or found["type"] != "shared":
        raise Refusal(400, detail="spaceId is not the id of a shared space")


def _find(call: Call) -> Doc:
    found = call.store.get(call.tenant_id, KIND, call.path["id"])
    if found is None:
        raise Refusal(404)
    return found


def _find_own(call: Call) -> Doc:
    doc = _find(call)
    if doc["ownerId"] != call.user_id:
        raise Refusal(403, detail="only the owner may read and change an automation")
    return doc


def _write(call: Call, doc: Doc, now: str, body: Any = None) -> Doc:
    body = call.body if body is None else body
    if not body["name"]:
        raise Refusal(400, detail="name must not be empty")
    schedules = [_stored_schedule(schedule) for schedule in body.get("schedules", [])]
    return call.store.put(
        call.tenant_id,
        KIND,
        doc
        | {
            "name": body["name"],
            "description": body.get("description", ""),
            "workspace": body.get("workspace", {}),
            "schedules": schedules,
            "maxConcurrentRuns": body.get("maxConcurrentRuns", 1),
            "runMode": "scheduled" if schedules else "manual",
            "updatedAt": now,
        },
    )


def _stored_schedule(schedule: Doc) -> Doc:
    """Return a schedule as Qlik stores it: with an id, and its interval rounded to whole minutes."""
    interval = schedule.get("interval")
    rounded = {} if interval is None else {"interval": (interval + MINUTE // 2) // MINUTE * MINUTE}
    return {"id": str(uuid.uuid4()), **schedule, **rounded}
