"""Pinned links: links in the navigation of a tenant."""

from __future__ import annotations

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.store import Doc
from tenantry.emulator.world import new_id

API = "ui-config"
KIND = "pinned-link"
MAX_LINKS = 50
MAX_NAME_LENGTH = 50


@operation(API, "getPinnedLinks")
def listing(call: Call) -> Reply:
    """List all links, in the order of creation."""
    return Reply(200, {"data": call.store.all(call.tenant_id, KIND)})


@operation(API, "createPinnedLink")
def create(call: Call) -> Reply:
    """Create a link below the others. Names are not unique."""
    if call.store.count(call.tenant_id, KIND) >= MAX_LINKS:
        raise Refusal(400, detail=f"a tenant has at most {MAX_LINKS} pinned links")
    created: Doc = {
        "id": new_id(),
        **call.body,
        "tenantId": call.tenant_id,
        "createdAt": iso(call.world.now()),
        "createdBy": call.user_id,
    }
    _check(created)
    return Reply(201, call.store.put(call.tenant_id, KIND, created))


@operation(API, "getPinnedLink")
def get(call: Call) -> Reply:
    """Read a link."""
    return Reply(200, _find(call))


@operation(API, "patchPinnedLink")
def patch(call: Call) -> Reply:
    """Replace the name or the address."""
    doc = _find(call) | {change["path"][1:]: change["value"] for change in call.body}
    _check(doc)
    changed = {"updatedAt": iso(call.world.now()), "updatedBy": call.user_id}
    return Reply(200, call.store.put(call.tenant_id, KIND, doc | changed))


@operation(API, "deletePinnedLink")
def delete(call: Call) -> Reply:
    """Delete a link."""
    call.store.delete(call.tenant_id, KIND, _find(call)["id"])
    return Reply(204)


def _find(call: Call) -> Doc:
    found = call.store.get(call.tenant_id, KIND, call.path["id"])
    if found is None:
        raise Refusal(404)
    return found


def _check(doc: Doc) -> None:
    if not 0 < len(doc["name"]) <= MAX_NAME_LENGTH:
        raise Refusal(400, detail=f"name must have 1 to {MAX_NAME_LENGTH} characters")
    if not doc["link"].startswith("https://"):
        raise Refusal(400, detail="link must start with https://")
