"""Apps: their attributes, space and owner. Files and publishing are next door."""

from __future__ import annotations

import uuid
from typing import Any

from tenantry.emulator.apis import spaces
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import DAY, iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.load_scripts import NO_DATA
from tenantry.emulator.store import Doc
from tenantry.emulator.world import World

SOFT_DELETE_AGE = 45 * 60
RESTORABLE = 14 * DAY
CONTENT = ("description", "lastReloadTime", "usage", "_script", "_data", "_file", "_offset", "_size")
SCRIPT = "SET vCustomer = 'template';\n\nCustomers:\nLOAD '$(vCustomer)' AS Customer AUTOGENERATE 1;\n"
"""The load script of an app that was made without one."""

EMPTY: Doc = {"_script": SCRIPT, "_data": NO_DATA}

NO_READERS = {"dataconsumer", "datapreview"}
"""Roles in a space that open its data and no app."""

EDITORS = {"producer", spaces.MANAGER}
"""Roles that may change and export the apps of a shared space."""


def add_app(world: World, tenant_id: str, owner: Doc, *, name: str, space: str = "", **fields: Any) -> Doc:
    """Make an app.

    Args:
        space: id of its space; empty for the owner's personal space.
        fields: further fields; `_file` is the key of its content, `_offset` where in the file that starts.
    """
    now = world.now()
    app: Doc = {
        "id": str(uuid.uuid4()),
        "name": name,
        "description": "",
        "spaceId": space,
        "owner": owner["subject"],
        "ownerId": owner["id"],
        "createdDate": iso(now),
        "modifiedDate": iso(now),
        "lastReloadTime": "",
        "published": False,
        "publishTime": "",
        "originAppId": "",
        "thumbnail": "",
        "dynamicColor": "",
        "hasSectionAccess": False,
        "encrypted": True,
        "isDirectQueryMode": False,
        "usage": "ANALYTICS",
        "_made_at": now,
        "_creator": owner["id"],
        "_updater": owner["id"],
        "_script": SCRIPT,
        "_data": NO_DATA,
        "_file": "",
        "_offset": 0,
        "_size": 0,
        **fields,
    }
    return save(world, tenant_id, app)


def save(world: World, tenant_id: str, app: Doc) -> Doc:
    """File an app under its space."""
    return world.store.put(tenant_id, "app", app, parent=app["spaceId"])


@operation("apps", "createApp")
def create(call: Call) -> Reply:
    """Make an empty app; names are no key, so each call makes another."""
    wanted = dict((call.body or {}).get("attributes", {}))
    space = wanted.pop("spaceId", "")
    check_target(call, space)
    fields = {name: wanted[name] for name in ("description", "usage") if name in wanted}
    app = add_app(
        call.world, call.tenant_id, call.user, name=wanted.get("name", "App"), space=space, **fields
    )
    return Reply(200, view(call, app))


@operation("apps", "getAppInfo")
def get(call: Call) -> Reply:
    """Read an app; a fresh publication answers 403 until it is ready."""
    return Reply(200, view(call, find(call)))


@operation("apps", "updateAppInfo")
def put(call: Call) -> Reply:
    """Change name or description."""
    app = find(call)
    must_edit(call, app)
    changes = call.body.get("attributes", {})
    if changes.get("name") == "":
        raise Refusal(400, detail="name must not be empty")
    return Reply(200, view(call, changed(call, app, **changes)))


@operation("apps", "deleteApp")
def delete(call: Call) -> Reply:
    """Remove an app: for good when it is younger than 45 minutes, else restorable for 14 days."""
    app = find(call)
    if not (call.is_admin or _edits(call, app)):
        raise Refusal(403, detail="needs the owner, an editor of the space or TenantAdmin")
    now = call.world.now()
    if now - app["_made_at"] > SOFT_DELETE_AGE:
        save(call.world, call.tenant_id, app | {"_deleted_at": now})
    else:
        call.store.delete(call.tenant_id, "app", app["id"])
    return Reply(200)


@operation("apps", "copyApp")
def copy(call: Call) -> Reply:
    """Duplicate an app, into the caller's personal space unless another is asked for."""
    source = find(call)
    wanted = dict((call.body or {}).get("attributes", {}))
    space = wanted.pop("spaceId", "")
    check_target(call, space)
    content = {name: source[name] for name in CONTENT}
    name = wanted.pop("name", f"{source['name']}(1)")
    wanted.pop("locale", None)
    app = add_app(call.world, call.tenant_id, call.user, name=name, space=space, **(content | wanted))
    return Reply(200, view(call, app))


@operation("apps", "moveAppToSpace")
def move(call: Call) -> Reply:
    """Move an app between personal and shared spaces; an admin also between managed ones."""
    app = find(call)
    target = call.body.get("spaceId", "")
    if not target:
        raise Refusal(400, detail="spaceId is missing")
    if not (call.is_admin or _edits(call, app)):
        raise Refusal(403, detail="needs the owner, an editor of the space or TenantAdmin")
    to = space_type(call, target)
    if not to:
        raise Refusal(404, detail="no such space")
    if (to == "managed") != (space_type(call, app["spaceId"]) == "managed"):
        raise Refusal(403, detail="between shared and managed spaces an app is published, not moved")
    return Reply(200, view(call, changed(call, app, spaceId=target)))


@operation("apps", "removeAppFromSpace")
def move_out(call: Call) -> Reply:
    """Move an app to its owner's personal space."""
    app = find(call)
    if not (call.is_admin or _edits(call, app)) or space_type(call, app["spaceId"]) == "managed":
        raise Refusal(403, detail="an app leaves a managed space only by being deleted")
    return Reply(200, view(call, changed(call, app, spaceId="")))


@operation("apps", "updateAppOwner")
def change_owner(call: Call) -> Reply:
    """Give an app to another user."""
    app = find(call)
    if not call.is_admin and app["ownerId"] != call.user_id:
        raise Refusal(403, detail="needs the owner or TenantAdmin")
    owner = call.store.get(call.tenant_id, "user", call.body.get("ownerId", ""))
    if owner is None:
        raise Refusal(404, detail="no such user")
    return Reply(200, view(call, changed(call, app, ownerId=owner["id"], owner=owner["subject"])))


@operation("apps", "restoreApp")
def restore(call: Call) -> Reply:
    """Bring back a soft-deleted app within 14 days."""
    app = call.store.get(call.tenant_id, "app", call.path["appId"])
    if app is None or call.world.now() - app.get("_deleted_at", 0.0) > RESTORABLE:
        raise Refusal(404)
    if not (call.is_admin or app["ownerId"] == call.user_id):
        raise Refusal(403)
    del app["_deleted_at"]
    save(call.world, call.tenant_id, app)
    shown = {
        "createdAt": app["createdDate"],
        "updatedAt": app["modifiedDate"],
        "promotedAt": app["publishTime"],
        "reloadedAt": app["lastReloadTime"],
        "resourceType": "app",
        "state": "PROMOTED" if app["publishTime"] else "EMPTY",
    }
    same = ("id", "name", "usage", "ownerId", "spaceId", "description", "originAppId", "hasSectionAccess")
    shown |= {name: app[name] for name in same}
    return Reply(200, {"attributes": shown, "privileges": _privileges(call, app), "create": []})


def find(call: Call, app_id: str = "") -> Doc:
    """The app of the path, or of that id.

    Raises:
        Refusal: 404 when it is gone, 403 when it is not the caller's to see, or not ready yet.
    """
    app = call.store.get(call.tenant_id, "app", app_id or call.path["appId"])
    if app is None or "_deleted_at" in app:
        raise Refusal(404)
    app = loaded(call.world, app)
    if not is_visible(call, app):
        raise Refusal(403, detail="the caller may not read this app")
    ready_at = app.get("_published_at", 0.0) + call.world.settings.publish_ready_ms / 1000
    if "_published_at" in app and call.world.now() < ready_at:
        raise Refusal(403, detail="the caller may not read this app")
    return app


def loaded(world: World, app: Doc) -> Doc:
    """Return an app with the time and the data of a reload that has ended by now.

    One that an earlier version has filed has no script and no data.
    """
    app = {**EMPTY, **app}
    ended = app.get("_loaded_at", float("inf"))
    if ended > world.now():
        return app
    rest = {name: value for name, value in app.items() if name not in ("_loaded_at", "_loading")}
    return rest | {"lastReloadTime": iso(ended), "_data": app["_loading"]}


def changed(call: Call, app: Doc, **changes: Any) -> Doc:
    """Save an app with changes, dated and signed."""
    app |= changes | {"modifiedDate": iso(call.world.now()), "_updater": call.user_id}
    return save(call.world, call.tenant_id, app)


def space_type(call: Call, space_id: str) -> str:
    """`shared`, `managed`, `data`, or `personal` for no space; empty for one that does not exist."""
    if not space_id:
        return "personal"
    space = call.store.get(call.tenant_id, "space", space_id)
    return str(space["type"]) if space else ""


def is_visible(call: Call, app: Doc) -> bool:
    """Whether the caller may know of an app: its own, those of its spaces, as admin all but personal ones."""
    if app["ownerId"] == call.user_id:
        return True
    return bool(app["spaceId"]) and (call.is_admin or bool(set(_roles(call, app["spaceId"])) - NO_READERS))


def must_edit(call: Call, app: Doc) -> None:
    """Refuse with 403 unless the caller owns the app or may edit in its space; TenantAdmin is not enough."""
    if not _edits(call, app):
        raise Refusal(403, detail="the caller is neither owner of the app nor an editor of its space")


def manages_space(call: Call, app: Doc) -> bool:
    """Whether the caller owns or manages the space of an app."""
    return spaces.MANAGER in _roles(call, app["spaceId"])


def check_target(call: Call, space_id: str) -> None:
    """Refuse unless a new app may go into that space: personal, or shared with a role that may edit."""
    kind = space_type(call, space_id)
    if not kind:
        raise Refusal(404, detail="no such space")
    if kind not in ("personal", "shared"):
        raise Refusal(403, detail=f"apps cannot be put into a {kind} space; publish instead")
    if space_id and not EDITORS & set(_roles(call, space_id)):
        raise Refusal(403, detail="the caller may not edit in this space")


def attributes(app: Doc) -> Doc:
    """`attributes` of an app; one in a personal space has no `spaceId`."""
    shown = {name: value for name, value in app.items() if not name.startswith("_") and name != "spaceId"}
    if app["spaceId"]:
        shown["spaceId"] = app["spaceId"]
    return shown | {"custom": {}, "_resourcetype": "app"}


def view(call: Call, app: Doc) -> Doc:
    """An app as the API shows it to the caller."""
    create = [{"resource": kind, "canCreate": True} for kind in ("sheet", "story", "bookmark", "snapshot")]
    return {"attributes": attributes(app), "privileges": _privileges(call, app), "create": create}


def _roles(call: Call, space_id: str) -> list[str]:
    space = call.store.get(call.tenant_id, "space", space_id)
    return spaces.roles_in(call.world, space, call.user) if space else []


def _edits(call: Call, app: Doc) -> bool:
    return app["ownerId"] == call.user_id or bool(EDITORS & set(_roles(call, app["spaceId"])))


def _privileges(call: Call, app: Doc) -> list[str]:
    edits = ["update", "reload", "publish", "duplicate", "export", "exportdata"] if _edits(call, app) else []
    manages = ["delete", "change_owner", "change_space"] if edits or call.is_admin else []
    if space_type(call, app["spaceId"]) == "managed":
        edits = [each for each in edits if each not in ("publish", "export", "exportdata")]
        edits += ["export"] if manages_space(call, app) else []
    return ["read", *edits, *manages]
