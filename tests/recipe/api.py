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
    """A page; `name` finds parts of names."""
    part = str(call.query.get("name", "")).casefold()
    found = [each for each in call.store.all(call.tenant_id, KIND) if part in each["name"].casefold()]
    data, links = page(call, found, default=20)
    return Reply(200, {"data": data, "links": links})


@operation("banners", "createBanner")
def create(call: Call) -> Reply:
    """Make one; a name belongs to one."""
    _check_name(call, call.body["name"])
    made: Doc = {
        "id": new_id(),
        "name": call.body["name"],
        "content": call.body.get("content", ""),
        "createdAt": iso(call.world.now()),
        "createdBy": call.user_id,
    }
    call.store.put(call.tenant_id, KIND, made)
    return Reply(201, made)


@operation("banners", "getBanner")
def get(call: Call) -> Reply:
    """Read one."""
    return Reply(200, _find(call))


@operation("banners", "patchBanner")
def patch(call: Call) -> Reply:
    """Replace name or content."""
    banner = _find(call)
    for change in call.body:
        field = change["path"][1:]
        if field == "name":
            _check_name(call, change["value"], but=banner["id"])
        banner[field] = change["value"]
    call.store.put(call.tenant_id, KIND, banner)
    return Reply(204)


@operation("banners", "deleteBanner")
def delete(call: Call) -> Reply:
    """Remove one."""
    call.store.delete(call.tenant_id, KIND, _find(call)["id"])
    return Reply(204)


def _find(call: Call) -> Doc:
    banner = call.store.get(call.tenant_id, KIND, call.path["bannerId"])
    if banner is None:
        raise Refusal(404)
    return banner


def _check_name(call: Call, name: str, but: str = "") -> None:
    for other in call.store.all(call.tenant_id, KIND):
        if other["name"] == name and other["id"] != but:
            raise Refusal(409)
