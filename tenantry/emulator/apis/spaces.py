"""The spaces of a tenant and the rights of their members."""

from __future__ import annotations

from typing import Any

from tenantry.emulator.apis import groups
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import Doc, public
from tenantry.emulator.world import World, new_id

ROLES = {
    "shared": ["codeveloper", "consumer", "dataconsumer", "facilitator", "producer"],
    "managed": ["consumer", "contributor", "dataconsumer", "facilitator", "publisher", "basicconsumer"],
    "data": ["consumer", "dataconsumer", "datapreview", "facilitator", "operator", "producer", "publisher"],
}
"""Space type -> roles that can be assigned in it (contract: `x-qlik-roles-by-space-type`)."""

MANAGER = "facilitator"
"""The role of a manager, who can change the space and its members, and export apps without data.

A manager cannot publish.
"""

PUBLISHER = "publisher"
"""The role of a publisher. Only publishers and the owner of a managed space can publish."""

FILTERABLE = {"name": "eq", "type": "eq", "ownerId": "eq"}
"""Attributes in the `filter` of older clients -> their operators."""

SORTABLE = ("type", "name", "createdAt")


def add_space(world: World, tenant_id: str, owner: Doc, *, name: str, kind: str, **fields: Any) -> Doc:
    """Create a space.

    Args:
        kind: `shared`, `managed` or `data`.
        fields: further fields, such as `description`.
    """
    now = world.now()
    space: Doc = {
        "id": new_id(),
        "tenantId": tenant_id,
        "name": name,
        "type": kind,
        "ownerId": owner["id"],
        "createdAt": iso(now),
        "createdBy": owner["id"],
        "updatedAt": iso(now),
        "_created_at": now,
        **fields,
    }
    return world.store.put(tenant_id, "space", space)


def roles_in(world: World, space: Doc, user: Doc) -> list[str]:
    """Return the roles of a user in a space.

    The owner has all roles. Others have the roles that are assigned to them or to one of their groups.
    """
    if space["ownerId"] == user["id"]:
        return ROLES[space["type"]]
    member_of = {groups.EVERYONE, *(group["id"] for group in user.get("assignedGroups", []))}
    assigned: set[str] = set()
    for assignment in world.store.all(space["tenantId"], "assignment", parent=space["id"]):
        if assignment["assigneeId"] == user["id"] or assignment["assigneeId"] in member_of:
            assigned.update(assignment["roles"])
    return sorted(assigned)


@operation("spaces", "getSpaces")
def listing(call: Call) -> Reply:
    """List the spaces that the caller may see. `name` matches parts of names."""
    sort = str(call.query.get("sort", "+name")).strip().lstrip("+-")
    if sort not in SORTABLE:
        raise Refusal(400, detail=f"sort by one of {', '.join(SORTABLE)}", source={"parameter": "sort"})
    text = call.query.get("filter")
    matches = compile_filter(text, FILTERABLE) if text else lambda _: True
    spaces = call.store.all(call.tenant_id, "space")
    found = [space for space in spaces if _matches_query(call, space) and matches(space)]
    data, links = page(call, found, default=10, sort="+name")
    body = {"data": [view(call, space) for space in data], "meta": {"count": len(found)}, "links": links}
    return Reply(200, body)


@operation("spaces", "getTypes")
def types(call: Call) -> Reply:
    """List the space types."""
    return Reply(200, {"data": list(ROLES)})


@operation("spaces", "createSpace")
def create(call: Call) -> Reply:
    """Create a space. Its name is unique in the tenant across all types."""
    _check_name(call, call.body["name"])
    fields = {"description": call.body["description"]} if "description" in call.body else {}
    space = add_space(
        call.world, call.tenant_id, call.user, name=call.body["name"], kind=call.body["type"], **fields
    )
    return Reply(201, view(call, space))


@operation("spaces", "getSpaceById")
def get(call: Call) -> Reply:
    """Read a space."""
    return Reply(200, view(call, find(call)))


@operation("spaces", "updateSpaceById")
def put(call: Call) -> Reply:
    """Change the name, the owner or the description. Missing members stay unchanged."""
    return _update(call, call.body)


@operation("spaces", "patchSpaceById")
def patch(call: Call) -> Reply:
    """Replace the name, the owner or the description."""
    return _update(call, {change["path"][1:]: change["value"] for change in call.body})


@operation("spaces", "deleteSpaceById")
def delete(call: Call) -> Reply:
    """Delete an empty space."""
    space = find(call)
    require_manager(call, space)
    apps = [
        app for app in call.store.all(call.tenant_id, "app", parent=space["id"]) if "_deleted_at" not in app
    ]
    if apps:
        raise Refusal(412, code="SpaceNotEmpty", detail=f"the space still has {len(apps)} resources")
    call.store.delete(call.tenant_id, "space", space["id"])
    return Reply(204)


def find(call: Call) -> Doc:
    """Return the space in the path. Raise 404 if it does not exist or the caller may not see it."""
    space = call.store.get(call.tenant_id, "space", call.path["spaceId"])
    if space is None or not _is_visible(call, space):
        raise Refusal(404)
    return space


def view(call: Call, space: Doc) -> Doc:
    """Return a space as the API shows it to the caller."""
    path = f"/api/v1/spaces/{space['id']}"
    roles = roles_in(call.world, space, call.user)
    actions = ["change_owner", "create", "read", "update", "delete"] if _can_manage(call, space) else ["read"]
    if space["type"] == "managed" and PUBLISHER in roles:
        actions.append("publish")
    return public(space) | {
        "meta": {
            "actions": actions,
            "roles": roles,
            "assignableRoles": ROLES[space["type"]],
        },
        "links": {"self": call.link(path), "assignments": call.link(f"{path}/assignments")},
    }


def _is_visible(call: Call, space: Doc) -> bool:
    return call.is_admin or bool(roles_in(call.world, space, call.user))


def _can_manage(call: Call, space: Doc) -> bool:
    return call.is_admin or MANAGER in roles_in(call.world, space, call.user)


def require_manager(call: Call, space: Doc) -> None:
    """Refuse with 403 unless the caller may change the space and its members."""
    if not _can_manage(call, space):
        raise Refusal(
            403, detail="only a TenantAdmin, or the owner or a facilitator of the space, may do this"
        )


def _matches_query(call: Call, space: Doc) -> bool:
    query = call.query
    if query.get("ownerId") == "" and call.tolerates("empty-owner"):
        query = {name: value for name, value in query.items() if name != "ownerId"}
    roles = roles_in(call.world, space, call.user) if "roles" in query or query.get("action") else []
    return (
        query.get("name", "").casefold() in space["name"].casefold()
        and space["ownerId"] == query.get("ownerId", space["ownerId"])
        and space["type"] in str(query.get("type", space["type"])).split(",")
        and ("roles" not in query or bool(set(query["roles"]) & set(roles)))
        and (query.get("action") != "publish" or (space["type"] == "managed" and PUBLISHER in roles))
        # The emulator's spaces have no environment. An empty value selects all spaces, any other value none.
        and not query.get("environmentId")
        and not query.get("environment.name")
        and _is_visible(call, space)
    )


def _update(call: Call, changes: dict[str, Any]) -> Reply:
    space = find(call)
    require_manager(call, space)
    if "name" in changes:
        _check_name(call, changes["name"], space["id"])
    if changes.get("ownerId") == "" and call.tolerates("empty-owner"):
        changes = {name: value for name, value in changes.items() if name != "ownerId"}
    if "ownerId" in changes and call.store.get(call.tenant_id, "user", changes["ownerId"]) is None:
        raise Refusal(400, detail="there is no such user", source={"pointer": "/ownerId"})
    space |= changes | {"updatedAt": iso(call.world.now())}
    return Reply(200, view(call, call.store.put(call.tenant_id, "space", space)))


def _check_name(call: Call, name: str, own_id: str = "") -> None:
    """Check a name. The schema of POST states these rules, and they apply to PATCH as well."""
    if not name or len(name) > 256 or set(name) & set('"*?<>/|\\:'):
        raise Refusal(400, detail='name is empty, is too long or has one of " * ? < > / | \\ :')
    if any(space["id"] != own_id for space in call.store.by_name(call.tenant_id, "space", name)):
        raise Refusal(409, code="SpaceNameConflict", detail="a space with this name already exists")
