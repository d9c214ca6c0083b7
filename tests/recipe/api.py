"""Banners: lines of text that every user sees."""

from __future__ import annotations

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc
from tenantry.emulator.world import new_id

KIND = "banner"


@operation("banners", "listBanners")
def listing(call: Call) -> Reply:
    """Return a page. `name` is a part of the names to find."""
    part = str(call.query.get("name", "")).casefold()
    found = [banner for banner in call.store.all(call.tenant_id, KIND) if part in banner["name"].casefold()]
    data, links = page(call, found, default=20)
    return Reply(200, {"data": data, "links": links})


@operation("banners", "createBanner")
def create(call: Call) -> Reply:
    """Create a banner. Names are unique."""
    _check_name(call, call.body["name"])
    created: Doc = {
        "id": new_id(),
        "name": call.body["name"],
        "content": call.body.get("content", ""),
        "createdAt": iso(call.world.now()),
        "createdBy": call.user_id,
    }
    call.store.put(call.tenant_id, KIND, created)
    return Reply(201, created)


@operation("banners", "getBanner")
def get(call: Call) -> Reply:
    """Return a banner."""
    return Reply(200, _find(call))


@operation("banners", "patchBanner")
def patch(call: Call) -> Reply:
    """Change the name or the content."""
    banner = _find(call)
    for change in call.body:
        key = change["path"][1:]
        if key == "name":
            _check_name(call, change["value"], own_id=banner["id"])
        banner[key] = change["value"]
    call.store.put(call.tenant_id, KIND, banner)
    return Reply(204)


@operation("banners", "deleteBanner")
def delete(call: Call) -> Reply:
    """Delete a banner."""
    call.store.delete(call.tenant_id, KIND, _find(call)["id"])
    return Reply(204)


def _find(call: Call) -> Doc:
    banner = call.store.get(call.tenant_id, KIND, call.path["bannerId"])
    if banner is None:
        raise Refusal(404)
    return banner


def _check_name(call: Call, name: str, own_id: str = "") -> None:
    for other in call.store.all(call.tenant_id, KIND):
        if other["name"] == name and other["id"] != own_id:
            raise Refusal(409)
