"""Brands: the logo, the favicon and the styles of a tenant. At most one brand is active."""

from __future__ import annotations

import base64
import hashlib

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.files import Content
from tenantry.emulator.forms import Part
from tenantry.emulator.paging import page_by_ids
from tenantry.emulator.store import Doc, public
from tenantry.emulator.world import new_id

KIND = "brand"
ICO = b"\x00\x00\x01\x00"
SIGNATURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/x-icon": ICO,
    "image/vnd.microsoft.icon": ICO,
    "application/json": b"",
}
MEDIA_TYPES = {
    "logo": ("image/png", "image/jpeg"),
    "favIcon": ("image/x-icon", "image/vnd.microsoft.icon"),
    "styles": ("application/json",),
}
MAX_BYTES = {"logo": 300_000, "favIcon": 100_000, "styles": 100_000}


@operation("brands", "getBrands")
def listing(call: Call) -> Reply:
    """Return a page, by default of five brands."""
    order = call.query.get("sort", "-id")
    found = call.store.all(call.tenant_id, KIND)
    found.sort(key=lambda doc: (doc[order.lstrip("+-")], doc["id"]), reverse=order.startswith("-"))
    data, links = page_by_ids(call, found, default=5)
    return Reply(200, {"data": [public(brand) for brand in data], "links": links})


@operation("brands", "createBrand")
def create(call: Call) -> Reply:
    """Create a brand with its files. It is not active."""
    if not call.body["name"]:
        raise Refusal(400, detail="name must not be empty", source={"pointer": "/name"})
    id, now = new_id(), iso(call.world.now())
    created: Doc = {
        "id": id,
        "name": call.body["name"],
        "description": call.body.get("description", ""),
        "active": False,
        "files": [],
        "createdAt": now,
        "createdBy": call.user_id,
        "updatedAt": now,
        "updatedBy": call.user_id,
        "_contents": {},
    }
    for name in MEDIA_TYPES.keys() & call.parts.keys():
        _set_file(created, name, call.parts[name])
    return Reply(201, public(call.store.put(call.tenant_id, KIND, created)))


@operation("brands", "getActiveBrand")
def active(call: Call) -> Reply:
    """Redirect to the active brand. Without one, return an empty object."""
    for brand in call.store.all(call.tenant_id, KIND):
        if brand["active"]:
            location = f"/api/v1/brands/{brand['id']}"
            return Reply(301, headers={"location": location}, text=f"Redirecting to {location}")
    return Reply(200, {})


@operation("brands", "getBrand")
def get(call: Call) -> Reply:
    """Read a brand."""
    return Reply(200, public(_find(call)))


@operation("brands", "patchBrand")
def patch(call: Call) -> Reply:
    """Change the name and the description."""
    doc = _find(call)
    for change in call.body:
        name = change["path"][1:]
        if change["op"] == "remove":
            doc[name] = ""
        elif "value" not in change:
            raise Refusal(400, detail="value is missing", source={"pointer": change["path"]})
        else:
            doc[name] = change["value"]
    if not doc["name"]:
        raise Refusal(400, detail="name must not be empty", source={"pointer": "/name"})
    _put(call, doc)
    return Reply(204)


@operation("brands", "deleteBrand")
def delete(call: Call) -> Reply:
    """Delete a brand. If it was active, no other brand becomes active."""
    call.store.delete(call.tenant_id, KIND, _find(call)["id"])
    return Reply(204)


@operation("brands", "activateBrand")
def activate(call: Call) -> Reply:
    """Activate a brand and deactivate the others."""
    doc = _find(call)
    for brand in call.store.all(call.tenant_id, KIND):
        if brand["active"] and brand["id"] != doc["id"]:
            call.store.put(call.tenant_id, KIND, brand | {"active": False})
    return Reply(200, public(_put(call, doc | {"active": True})))


@operation("brands", "deactivateBrand")
def deactivate(call: Call) -> Reply:
    """Deactivate a brand. Qlik's own design applies again."""
    return Reply(200, public(_put(call, _find(call) | {"active": False})))


@operation("brands", "getBrandFile")
def download(call: Call) -> Reply:
    """Download a file."""
    doc = _find(call)
    media_type = _file(doc, call.path["fileId"])["contentType"]
    content = base64.b64decode(doc["_contents"][call.path["fileId"]])
    return Reply(200, headers={"content-type": media_type}, content=Content(content, None, 0))


@operation("brands", "createBrandFile")
def add_file(call: Call) -> Reply:
    """Add a file that the brand does not have."""
    doc, name = _find(call), call.path["fileId"]
    if name in doc["_contents"]:
        raise Refusal(400, detail=f"the brand already has a {name}. Replace it instead")
    return Reply(201, _upload(call, doc, name))


@operation("brands", "updateBrandFile")
def replace_file(call: Call) -> Reply:
    """Replace a file that the brand has."""
    doc, name = _find(call), call.path["fileId"]
    _file(doc, name)
    return Reply(200, _upload(call, doc, name))


@operation("brands", "deleteBrandFile")
def delete_file(call: Call) -> Reply:
    """Delete a file."""
    doc, name = _find(call), call.path["fileId"]
    doc["files"].remove(_file(doc, name))
    del doc["_contents"][name]
    _put(call, doc)
    return Reply(204)


def _find(call: Call) -> Doc:
    doc = call.store.get(call.tenant_id, KIND, call.path["brandId"])
    if doc is None:
        raise Refusal(404)
    return doc


def _put(call: Call, doc: Doc) -> Doc:
    changed = {"updatedAt": iso(call.world.now()), "updatedBy": call.user_id}
    return call.store.put(call.tenant_id, KIND, doc | changed)


def _file(doc: Doc, name: str) -> Doc:
    for file in doc["files"]:
        if file["id"] == name:
            return dict(file)
    raise Refusal(404)


def _upload(call: Call, doc: Doc, name: str) -> Doc:
    if name not in MEDIA_TYPES:
        raise Refusal(400, detail=f"{name} is not a file of a brand")
    if "file" not in call.parts:
        raise Refusal(400, detail="the form part file is required")
    created = _set_file(doc, name, call.parts["file"])
    _put(call, doc)
    return created


def _set_file(doc: Doc, name: str, part: Part) -> Doc:
    """Store the content of a file in a brand. Return the file's entry in the brand."""
    if part.media_type not in MEDIA_TYPES[name]:
        raise Refusal(400, detail=f"{name} must be {' or '.join(MEDIA_TYPES[name])}")
    if len(part.content) > MAX_BYTES[name] or not part.content.startswith(SIGNATURES[part.media_type]):
        raise Refusal(400, detail=f"{name} is too large, or not {part.media_type}")
    # Not an MD5, because Qlik does not document the tag as one and a client must not rely on it.
    digest = hashlib.sha256(part.content).hexdigest()[:32]
    created = {
        "id": name,
        "path": f"/api/v1/brands/{doc['id']}/files/{name}",
        "contentType": part.media_type,
        "eTag": f'"{digest}"',
    }
    doc["files"] = [file for file in doc["files"] if file["id"] != name] + [created]
    doc["_contents"][name] = base64.b64encode(part.content).decode()
    return created
