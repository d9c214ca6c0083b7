"""The groups of a tenant."""

from __future__ import annotations

from typing import Any

from tenantry.emulator.apis import users
from tenantry.emulator.apis.roles import assigned
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import Doc
from tenantry.emulator.world import World, new_id

EVERYONE = "000000000000000000000001"
LIMITS = {"idp": 10_000, "custom": 20_000}
FILTERABLE = dict.fromkeys(
    ("id", "name", "status", "createdAt", "lastUpdatedAt", "providerType", "assignedRoles.name"), ""
)
SORTABLE = ("id", "name", "status", "createdAt", "lastUpdatedAt", "providerType")


def add_group(world: World, tenant_id: str, creator: Doc, *, name: str, kind: str, **fields: Any) -> Doc:
    """Create a group.

    Args:
        kind: `idp` or `custom`.
        fields: further fields, such as `assignedRoles`.
    """
    now = iso(world.now())
    group: Doc = {
        "id": new_id(),
        "tenantId": tenant_id,
        "name": name,
        "status": "active",
        "providerType": kind,
        "assignedRoles": [],
        "createdAt": now,
        "createdBy": creator["id"],
        "lastUpdatedAt": now,
        "updatedBy": creator["id"],
        **fields,
    }
    return world.store.put(tenant_id, "group", group, parent=kind)


@operation("groups", "getGroups")
def listing(call: Call) -> Reply:
    """List the tenant's groups. `systemGroups=true` lists Everyone instead, and allows no other parameter."""
    if call.query.get("systemGroups"):
        if len(call.query) > 1:
            raise Refusal(
                400,
                detail="systemGroups cannot be combined with other parameters",
                source={"parameter": "systemGroups"},
            )
        return Reply(
            200, {"data": [view(call, everyone(call))], "links": {"self": call.link("/api/v1/groups")}}
        )
    return _page(call, call.query.get("filter"))


@operation("groups", "groups_api_actions_filter")
def filtered(call: Call) -> Reply:
    """List the tenant's groups, with the filter in the body."""
    return _page(call, (call.body or {}).get("filter"))


@operation("groups", "postGroups")
def create(call: Call) -> Reply:
    """Create a group. Its name is unique per provider type."""
    body = call.body
    kind = body.get("providerType", "idp")
    _check_name(call, body["name"], kind)
    if call.store.count(call.tenant_id, "group", parent=kind) >= LIMITS[kind]:
        raise Refusal(400, detail=f"a tenant has at most {LIMITS[kind]} {kind} groups")
    fields = {"assignedRoles": assigned(call.store, call.tenant_id, body.get("assignedRoles", []))}
    if kind == "custom" and "description" in body:
        fields["description"] = body["description"]
    group = add_group(call.world, call.tenant_id, call.user, name=body["name"], kind=kind, **fields)
    return Reply(201, view(call, group))


@operation("groups", "getGroupById")
def get(call: Call) -> Reply:
    """Read a group. This includes Everyone."""
    return Reply(200, view(call, find(call)))


@operation("groups", "updateGroupById")
def patch(call: Call) -> Reply:
    """Replace the roles. On a custom group, also the name and the description."""
    group = find(call)
    for change in call.body:
        _apply(call, group, change["path"].lstrip("/"), change["value"])
    group |= {"lastUpdatedAt": iso(call.world.now()), "updatedBy": call.user_id}
    save(call, group)
    return Reply(204)


@operation("groups", "deleteGroupById")
def delete(call: Call) -> Reply:
    """Delete a group. Refuse Everyone, and a custom group that still has users."""
    group = find(call)
    if group["id"] == EVERYONE:
        raise Refusal(404, detail="a system group cannot be deleted")
    members = [user for user in call.store.all(call.tenant_id, "user") if _is_member(user, group)]
    if members and group["providerType"] == "custom":
        # The status is unpublished. No client can take a 409 for "already deleted".
        raise Refusal(409, detail=f"{len(members)} users are assigned to the group")
    call.store.delete(call.tenant_id, "group", group["id"])
    users.delete_assignments_of(call, group["id"])
    for user in members:
        user["assignedGroups"] = [other for other in user["assignedGroups"] if other["id"] != group["id"]]
        call.store.put(call.tenant_id, "user", user)
    return Reply(204)


def save(call: Call, group: Doc) -> None:
    """Store a group or the changes to Everyone."""
    call.store.put(call.tenant_id, "system-group" if group["id"] == EVERYONE else "group", group)


def membership(group: Doc) -> Doc:
    """Return a group as a user's `assignedGroups` shows it."""
    return {name: group[name] for name in ("id", "name", "providerType", "assignedRoles")}


def find(call: Call) -> Doc:
    """Return the group in the path, or raise 404."""
    if call.path["groupId"] == EVERYONE:
        return everyone(call)
    group = call.store.get(call.tenant_id, "group", call.path["groupId"])
    if group is None:
        raise Refusal(404)
    return group


def everyone(call: Call) -> Doc:
    """Return the system group that includes every user. Only its roles are stored."""
    stored = call.store.get(call.tenant_id, "system-group", EVERYONE)
    return stored or {
        "id": EVERYONE,
        "tenantId": call.tenant_id,
        "name": "com.qlik.Everyone",
        "status": "active",
        "assignedRoles": [],
        "createdAt": call.tenant["created"],
        "lastUpdatedAt": call.tenant["created"],
    }


def view(call: Call, group: Doc) -> Doc:
    """Return a group as the API shows it."""
    return group | {"links": {"self": call.link(f"/api/v1/groups/{group['id']}")}}


def _is_member(user: Doc, group: Doc) -> bool:
    return any(assigned_group["id"] == group["id"] for assigned_group in user["assignedGroups"])


def _check_name(call: Call, name: str, kind: str, own_id: str = "") -> None:
    if not name:
        raise Refusal(400, detail="name must not be empty", source={"pointer": "/name"})
    for group in call.store.by_name(call.tenant_id, "group", name):
        if group["providerType"] == kind and group["id"] != own_id:
            raise Refusal(409, "Conflict", detail="a group of this name and provider type exists")


def _apply(call: Call, group: Doc, name: str, value: Any) -> None:
    pointer = {"pointer": f"/{name}"}
    if name == "assignedRoles":
        if not isinstance(value, list) or len(value) > 100:
            raise Refusal(400, detail="value must be a list of at most 100 roles", source=pointer)
        group["assignedRoles"] = assigned(call.store, call.tenant_id, value)
        return
    if group.get("providerType") != "custom":
        raise Refusal(400, detail=f"only custom groups allow a change of {name}", source=pointer)
    if not isinstance(value, str) or len(value) > (256 if name == "name" else 10_000):
        raise Refusal(400, detail="value must be a string. A name has at most 256 characters", source=pointer)
    if name == "name":
        _check_name(call, value, "custom", group["id"])
    group[name] = value


def _page(call: Call, text: str | None) -> Reply:
    groups = call.store.all(call.tenant_id, "group")
    if text:
        matches = compile_filter(text, FILTERABLE)
        groups = [group for group in groups if matches(group)]
    sort = str(call.query.get("sort", "+name")).strip().lstrip("+-")
    if sort not in SORTABLE:
        raise Refusal(400, detail=f"sort by one of {', '.join(SORTABLE)}", source={"parameter": "sort"})
    data, links = page(call, groups, default=20, sort="+name")
    body: Doc = {"data": [view(call, group) for group in data], "links": links}
    if call.query.get("totalResults"):
        body["totalResults"] = len(groups)
    return Reply(200, body)
