"""Apps: their attributes, space and owner. Files are in `transfer`, publishing is in `publishing`."""

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

SOFT_DELETE_SECONDS = 45 * 60
RESTORE_SECONDS = 14 * DAY
CONTENT = ("description", "lastReloadTime", "usage", "_script", "_data", "_file", "_offset", "_size")
DEFAULT_SCRIPT = (
    "SET vCustomer = 'template';\n\nCustomers:\nLOAD '$(vCustomer)' AS Customer AUTOGENERATE 1;\n"
)
"""The load script of an app that was created without one."""

DEFAULT_CONTENT: Doc = {"_script": DEFAULT_SCRIPT, "_data": NO_DATA}

ROLES_WITHOUT_APPS = {"dataconsumer", "datapreview"}
"""Roles in a space that give access to its data, but not to its apps."""

EDITORS = {"producer", spaces.MANAGER}
"""Roles that may change and export the apps of a shared space."""


def add_app(world: World, tenant_id: str, owner: Doc, *, name: str, space: str = "", **fields: Any) -> Doc:
    """Create an app.

    Args:
        space: id of its space; empty for the owner's personal space.
        fields: further fields. `_file` is the key of the stored file, `_offset` the content's start in it.
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
        "_created_at": now,
        "_creator": owner["id"],
        "_updater": owner["id"],
        "_script": DEFAULT_SCRIPT,
        "_data": NO_DATA,
        "_file": "",
        "_offset": 0,
        "_size": 0,
        **fields,
    }
    return save(world, tenant_id, app)


def save(world: World, tenant_id: str, app: Doc) -> Doc:
    """Store an app under its space."""
    return world.store.put(tenant_id, "app", app, parent=app["spaceId"])


@operation("apps", "createApp")
def create(call: Call) -> Reply:
    """Create an empty app. Names are not unique, so each call creates another app."""
    new_attributes = dict((call.body or {}).get("attributes", {}))
    space = new_attributes.pop("spaceId", "")
    check_target(call, space)
    fields = {name: new_attributes[name] for name in ("description", "usage") if name in new_attributes}
    app = add_app(
        call.world, call.tenant_id, call.user, name=new_attributes.get("name", "App"), space=space, **fields
    )
    return Reply(200, view(call, app))


@operation("apps", "getAppInfo")
def get(call: Call) -> Reply:
    """Read an app. A new publication returns 403 until it is ready."""
    return Reply(200, view(call, find(call)))


@operation("apps", "updateAppInfo")
def put(call: Call) -> Reply:
    """Change the name or the description."""
    app = find(call)
    require_editor(call, app)
    changes = call.body.get("attributes", {})
    if changes.get("name") == "":
        raise Refusal(400, detail="name must not be empty")
    return Reply(200, view(call, save_changes(call, app, **changes)))


@operation("apps", "deleteApp")
def delete(call: Call) -> Reply:
    """Delete an app. If it is older than 45 minutes, it can be restored for 14 days."""
    app = find(call)
    if not (call.is_admin or _can_edit(call, app)):
        raise Refusal(403, detail="only the owner, an editor of the space or a TenantAdmin may do this")
    now = call.world.now()
    if now - app["_created_at"] > SOFT_DELETE_SECONDS:
        save(call.world, call.tenant_id, app | {"_deleted_at": now})
    else:
        call.store.delete(call.tenant_id, "app", app["id"])
    return Reply(200)


@operation("apps", "copyApp")
def copy(call: Call) -> Reply:
    """Copy an app, by default into the caller's personal space."""
    source = find(call)
    new_attributes = dict((call.body or {}).get("attributes", {}))
    space = new_attributes.pop("spaceId", "")
    check_target(call, space)
    content = {name: source[name] for name in CONTENT}
    name = new_attributes.pop("name", f"{source['name']}(1)")
    new_attributes.pop("locale", None)
    app = add_app(call.world, call.tenant_id, call.user, name=name, space=space, **(content | new_attributes))
    return Reply(200, view(call, app))


@operation("apps", "moveAppToSpace")
def move(call: Call) -> Reply:
    """Move an app between personal and shared spaces. An admin can also move it between managed spaces."""
    app = find(call)
    target = call.body.get("spaceId", "")
    if not target:
        raise Refusal(400, detail="spaceId is missing")
    if not (call.is_admin or _can_edit(call, app)):
        raise Refusal(403, detail="only the owner, an editor of the space or a TenantAdmin may do this")
    target_type = space_type(call, target)
    if not target_type:
        raise Refusal(404, detail="there is no such space")
    if (target_type == "managed") != (space_type(call, app["spaceId"]) == "managed"):
        raise Refusal(403, detail="an app cannot move between shared and managed spaces. Publish it instead")
    return Reply(200, view(call, save_changes(call, app, spaceId=target)))


@operation("apps", "removeAppFromSpace")
def move_out(call: Call) -> Reply:
    """Move an app to its owner's personal space."""
    app = find(call)
    if not (call.is_admin or _can_edit(call, app)) or space_type(call, app["spaceId"]) == "managed":
        raise Refusal(403, detail="the caller may not edit the app, or the app is in a managed space")
    return Reply(200, view(call, save_changes(call, app, spaceId="")))


@operation("apps", "updateAppOwner")
def change_owner(call: Call) -> Reply:
    """Change the owner of an app."""
    app = find(call)
    if not call.is_admin and app["ownerId"] != call.user_id:
        raise Refusal(403, detail="only the owner or a TenantAdmin may do this")
    owner = call.store.get(call.tenant_id, "user", call.body.get("ownerId", ""))
    if owner is None:
        raise Refusal(404, detail="there is no such user")
    return Reply(200, view(call, save_changes(call, app, ownerId=owner["id"], owner=owner["subject"])))


@operation("apps", "restoreApp")
def restore(call: Call) -> Reply:
    """Restore a deleted app within 14 days."""
    app = call.store.get(call.tenant_id, "app", call.path["appId"])
    if app is None or call.world.now() - app.get("_deleted_at", 0.0) > RESTORE_SECONDS:
        raise Refusal(404)
    if not (call.is_admin or app["ownerId"] == call.user_id):
        raise Refusal(403)
    del app["_deleted_at"]
    save(call.world, call.tenant_id, app)
    restored = {
        "createdAt": app["createdDate"],
        "updatedAt": app["modifiedDate"],
        "promotedAt": app["publishTime"],
        "reloadedAt": app["lastReloadTime"],
        "resourceType": "app",
        "state": "PROMOTED" if app["publishTime"] else "EMPTY",
    }
    same = ("id", "name", "usage", "ownerId", "spaceId", "description", "originAppId", "hasSectionAccess")
    restored |= {name: app[name] for name in same}
    return Reply(200, {"attributes": restored, "privileges": _privileges(call, app), "create": []})


def find(call: Call, app_id: str = "") -> Doc:
    """Return the app with an id; by default, the id in the path.

    Raises:
        Refusal: 404 if the app is deleted, 403 if the caller may not read it or it is not ready yet.
    """
    app = call.store.get(call.tenant_id, "app", app_id or call.path["appId"])
    if app is None or "_deleted_at" in app:
        raise Refusal(404)
    app = with_last_reload(call.world, app)
    if not is_visible(call, app):
        raise Refusal(403, detail="the caller may not read this app")
    ready_at = app.get("_published_at", 0.0) + call.world.settings.publish_ready_ms / 1000
    if "_published_at" in app and call.world.now() < ready_at:
        raise Refusal(403, detail="the caller may not read this app")
    return app


def with_last_reload(world: World, app: Doc) -> Doc:
    """Return an app with the time and the data of its last finished reload.

    Apps from an earlier version of the emulator have no script and no data. They get the defaults.
    """
    app = {**DEFAULT_CONTENT, **app}
    ended = app.get("_loaded_at", float("inf"))
    if ended > world.now():
        return app
    rest = {name: value for name, value in app.items() if name not in ("_loaded_at", "_loading")}
    return rest | {"lastReloadTime": iso(ended), "_data": app["_loading"]}


def save_changes(call: Call, app: Doc, **changes: Any) -> Doc:
    """Save an app with changes, and record the time and the user."""
    app |= changes | {"modifiedDate": iso(call.world.now()), "_updater": call.user_id}
    return save(call.world, call.tenant_id, app)


def space_type(call: Call, space_id: str) -> str:
    """Return `shared`, `managed`, `data`, or `personal` without a space id; empty for an unknown id."""
    if not space_id:
        return "personal"
    space = call.store.get(call.tenant_id, "space", space_id)
    return str(space["type"]) if space else ""


def is_visible(call: Call, app: Doc) -> bool:
    """Return whether the caller may see an app.

    Callers see their own apps and those in their spaces. An admin sees all apps except other users' personal
    ones.
    """
    if app["ownerId"] == call.user_id:
        return True
    return bool(app["spaceId"]) and (
        call.is_admin or bool(set(_roles(call, app["spaceId"])) - ROLES_WITHOUT_APPS)
    )


def require_editor(call: Call, app: Doc) -> None:
    """Refuse with 403 unless the caller owns the app or may edit in its space. TenantAdmin is not enough."""
    if not _can_edit(call, app):
        raise Refusal(403, detail="the caller is neither the app's owner nor an editor of its space")


def manages_space(call: Call, app: Doc) -> bool:
    """Return whether the caller owns or manages the space of an app."""
    return spaces.MANAGER in _roles(call, app["spaceId"])


def check_target(call: Call, space_id: str) -> None:
    """Refuse unless the caller may create an app in a space.

    Allowed are the personal space, and shared spaces in which the caller has an editing role.
    """
    kind = space_type(call, space_id)
    if not kind:
        raise Refusal(404, detail="there is no such space")
    if kind not in ("personal", "shared"):
        raise Refusal(403, detail=f"apps cannot be created in a {kind} space. Publish them instead")
    if space_id and not EDITORS & set(_roles(call, space_id)):
        raise Refusal(403, detail="the caller may not edit in this space")


def attributes(app: Doc) -> Doc:
    """Return the `attributes` of an app. An app in a personal space has no `spaceId`."""
    result = {name: value for name, value in app.items() if not name.startswith("_") and name != "spaceId"}
    if app["spaceId"]:
        result["spaceId"] = app["spaceId"]
    return result | {"custom": {}, "_resourcetype": "app"}


def view(call: Call, app: Doc) -> Doc:
    """Return an app as the API shows it to the caller."""
    create = [{"resource": kind, "canCreate": True} for kind in ("sheet", "story", "bookmark", "snapshot")]
    return {"attributes": attributes(app), "privileges": _privileges(call, app), "create": create}


def _roles(call: Call, space_id: str) -> list[str]:
    space = call.store.get(call.tenant_id, "space", space_id)
    return spaces.roles_in(call.world, space, call.user) if space else []


def _can_edit(call: Call, app: Doc) -> bool:
    return app["ownerId"] == call.user_id or bool(EDITORS & set(_roles(call, app["spaceId"])))


def _privileges(call: Call, app: Doc) -> list[str]:
    edit_privileges = (
        ["update", "reload", "publish", "duplicate", "export", "exportdata"] if _can_edit(call, app) else []
    )
    manage_privileges = ["delete", "change_owner", "change_space"] if edit_privileges or call.is_admin else []
    if space_type(call, app["spaceId"]) == "managed":
        edit_privileges = [
            privilege for privilege in edit_privileges if privilege not in ("publish", "export", "exportdata")
        ]
        edit_privileges += ["export"] if manages_space(call, app) else []
    return ["read", *edit_privileges, *manage_privileges]
