"""The Roles API: built-in and custom roles of a tenant."""

from __future__ import annotations

from typing import Any

from tenantry.emulator.apis.roles import built_in
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import Doc
from tenantry.emulator.world import new_id

LIMIT = 500
FILTERABLE = dict.fromkeys(
    ("id", "tenantId", "name", "description", "type", "level", "permissions", "createdAt", "lastUpdatedAt"),
    "",
)
DEFAULT_ROLE = "UserDefault"
"""The built-in role whose scopes can be changed."""

BUILT_IN_CREATED_AT = "2023-01-01T00:00:00.000Z"


@operation("roles", "getRoles")
def listing(call: Call) -> Reply:
    """List the built-in and the custom roles."""
    roles = _all(call)
    if call.query.get("filter"):
        matches = compile_filter(call.query["filter"], FILTERABLE)
        roles = [role for role in roles if matches(role)]
    sort = str(call.query.get("sort", "name")).strip().lstrip("+-")
    if sort not in FILTERABLE:
        raise Refusal(400, detail=f"sort by one of {', '.join(FILTERABLE)}", source={"parameter": "sort"})
    data, links = page(call, roles, default=20, sort="+name")
    body: Doc = {"data": [_view(call, role) for role in data], "links": links}
    if call.query.get("totalResults"):
        body["totalResults"] = len(roles)
    return Reply(200, body)


@operation("roles", "createRole")
def create(call: Call) -> Reply:
    """Create a custom role. Refuse a name in use with 400, because Qlik publishes no 409 here."""
    _check_name(call, call.body["name"])
    if call.store.count(call.tenant_id, "role") >= LIMIT:
        raise Refusal(400, detail=f"a tenant has at most {LIMIT} custom roles")
    now = iso(call.world.now())
    role: Doc = {
        "id": new_id(),
        "tenantId": call.tenant_id,
        "name": call.body["name"],
        "description": call.body.get("description", ""),
        "type": "custom",
        "level": "user",
        "permissions": [],
        "assignedScopes": call.body.get("assignedScopes", []),
        "createdAt": now,
        "createdBy": call.user_id,
        "lastUpdatedAt": now,
        "updatedBy": call.user_id,
    }
    return Reply(201, _view(call, call.store.put(call.tenant_id, "role", role)))


@operation("roles", "getRoleById")
def get(call: Call) -> Reply:
    """Read a role."""
    return Reply(200, _view(call, _find(call)))


@operation("roles", "updateRoleById")
def patch(call: Call) -> Reply:
    """Change a custom role, or the scopes of UserDefault."""
    role = _find(call)
    for change in call.body:
        if role["type"] != "custom" and (
            role["name"] != DEFAULT_ROLE or "assignedScopes" not in change["path"]
        ):
            raise Refusal(403, detail="a built-in role cannot be changed")
        _apply(call, role, change["op"], change["path"], change["value"])
    role |= {"lastUpdatedAt": iso(call.world.now()), "updatedBy": call.user_id}
    call.store.put(call.tenant_id, "role" if role["type"] == "custom" else "built-in-role", role)
    return Reply(204)


@operation("roles", "deleteRoleById")
def delete(call: Call) -> Reply:
    """Delete a custom role that is not assigned."""
    role = call.store.get(call.tenant_id, "role", call.path["id"])
    if role is None:
        # Qlik publishes no 404 here.
        raise Refusal(400, detail="there is no such custom role")
    for kind in ("user", "group", "system-group"):
        for holder in call.store.all(call.tenant_id, kind):
            if any(assigned_role["id"] == role["id"] for assigned_role in holder["assignedRoles"]):
                raise Refusal(403, detail=f"the role is assigned to {kind} {holder['id']}")
    call.store.delete(call.tenant_id, "role", role["id"])
    return Reply(204)


def _all(call: Call) -> list[Doc]:
    changed = {role["id"]: role for role in call.store.all(call.tenant_id, "built-in-role")}
    fixed = {
        "tenantId": "",
        "description": "",
        "permissions": [],
        "assignedScopes": [],
        "createdAt": BUILT_IN_CREATED_AT,
        "lastUpdatedAt": BUILT_IN_CREATED_AT,
    }
    own = call.store.all(call.tenant_id, "role")
    return [changed.get(role["id"], role | fixed) for role in built_in().values()] + own


def _find(call: Call) -> Doc:
    for role in _all(call):
        if role["id"] == call.path["id"]:
            return role
    raise Refusal(404)


def _view(call: Call, role: Doc) -> Doc:
    custom = role["type"] == "custom"
    return role | {
        "canEdit": custom,
        "canDelete": custom,
        "userEntitlementType": "",
        "links": {"self": call.link(f"/api/v1/roles/{role['id']}")},
    }


def _check_name(call: Call, name: str, own_id: str = "") -> None:
    if not name or any(role["name"] == name and role["id"] != own_id for role in _all(call)):
        raise Refusal(400, detail="the name is empty or already in use", source={"pointer": "/name"})


def _apply(call: Call, role: Doc, op: str, path: str, value: Any) -> None:
    is_text = isinstance(value, str)
    if (op, path) == ("replace", "/name") and is_text:
        _check_name(call, value, role["id"])
        role["name"] = value
    elif (op, path) == ("replace", "/description") and is_text:
        role["description"] = value
    elif (op, path) == ("replace", "/assignedScopes") and not is_text:
        role["assignedScopes"] = value
    elif (op, path) == ("add", "/assignedScopes/-") and is_text:
        role["assignedScopes"] = list(dict.fromkeys([*role["assignedScopes"], value]))
    elif (op, path) == ("remove-value", "/assignedScopes") and is_text:
        role["assignedScopes"] = [scope for scope in role["assignedScopes"] if scope != value]
    else:
        raise Refusal(400, detail=f"{path} does not allow {op} with this value", source={"pointer": path})
