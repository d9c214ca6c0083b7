"""Assignments of roles in a space to users and groups."""

from __future__ import annotations

from tenantry.emulator.apis import groups, spaces
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc
from tenantry.emulator.world import World, new_id


def add_assignment(
    world: World, space: Doc, creator: Doc, *, assignee: str, roles: list[str], kind: str = "user"
) -> Doc:
    """Assign roles in a space.

    Args:
        assignee: id of the user or group.
        kind: `user`, `group` or `bot`.
    """
    now = iso(world.now())
    assignment: Doc = {
        "id": new_id(),
        "tenantId": space["tenantId"],
        "spaceId": space["id"],
        "type": kind,
        "assigneeId": assignee,
        "roles": roles,
        "createdAt": now,
        "createdBy": creator["id"],
        "updatedAt": now,
        "updatedBy": creator["id"],
    }
    return world.store.put(space["tenantId"], "assignment", assignment, parent=space["id"])


@operation("spaces", "getSpaceAssignments")
def listing(call: Call) -> Reply:
    """List the assignments of a space. They never include its owner."""
    space = spaces.find(call)
    found = [
        assignment
        for assignment in call.store.all(call.tenant_id, "assignment", parent=space["id"])
        if assignment["assigneeId"] != space["ownerId"]
        and assignment["assigneeId"] == call.query.get("assigneeId", assignment["assigneeId"])
        and assignment["type"] == call.query.get("type", assignment["type"])
    ]
    data, links = page(call, found, default=10)
    return Reply(
        200, {"data": [view(call, doc) for doc in data], "meta": {"count": len(found)}, "links": links}
    )


@operation("spaces", "createSpaceAssignment")
def create(call: Call) -> Reply:
    """Assign a user or group. Each can be assigned only once per space."""
    space = _find_managed(call)
    body = call.body
    roles = _check_roles(space, body["roles"])
    _check_assignee(call, body["type"], body["assigneeId"])
    others = call.store.all(call.tenant_id, "assignment", parent=space["id"])
    if any(other["assigneeId"] == body["assigneeId"] for other in others):
        detail = "assignment of assignee already exists in space"
        raise Refusal(409, code="AssignmentConflict", detail=detail)
    assignment = add_assignment(
        call.world, space, call.user, assignee=body["assigneeId"], roles=roles, kind=body["type"]
    )
    return Reply(201, view(call, assignment))


@operation("spaces", "getSpaceAssignmentById")
def get(call: Call) -> Reply:
    """Read one assignment."""
    return Reply(200, view(call, find(call)))


@operation("spaces", "updateSpaceAssignmentById")
def put(call: Call) -> Reply:
    """Replace all roles."""
    space = _find_managed(call)
    assignment = find(call)
    if "roles" not in call.body:
        raise Refusal(400, detail="roles is missing", source={"pointer": "/roles"})
    assignment |= {
        "roles": _check_roles(space, call.body["roles"]),
        "updatedAt": iso(call.world.now()),
        "updatedBy": call.user_id,
    }
    return Reply(200, view(call, call.store.put(call.tenant_id, "assignment", assignment)))


@operation("spaces", "deleteSpaceAssignmentById")
def delete(call: Call) -> Reply:
    """Delete an assignment."""
    _find_managed(call)
    call.store.delete(call.tenant_id, "assignment", find(call)["id"])
    return Reply(204)


def find(call: Call) -> Doc:
    """Return the assignment in the path, or raise 404."""
    space = spaces.find(call)
    assignment = call.store.get(call.tenant_id, "assignment", call.path["assignmentId"])
    if assignment is None or assignment["spaceId"] != space["id"]:
        raise Refusal(404)
    return assignment


def view(call: Call, assignment: Doc) -> Doc:
    """Return an assignment as the API shows it."""
    space = f"/api/v1/spaces/{assignment['spaceId']}"
    links = {"self": call.link(f"{space}/assignments/{assignment['id']}"), "space": call.link(space)}
    return assignment | {"links": links}


def _find_managed(call: Call) -> Doc:
    space = spaces.find(call)
    spaces.require_manager(call, space)
    return space


def _check_roles(space: Doc, roles: list[str]) -> list[str]:
    """Return the roles without duplicates. Refuse roles that this type of space does not have."""
    unknown = [role for role in roles if role not in spaces.ROLES[space["type"]]]
    if unknown or not roles:
        known = ", ".join(spaces.ROLES[space["type"]])
        detail = f"at least one role is required. The roles of a {space['type']} space are {known}"
        raise Refusal(400, detail=detail, source={"pointer": "/roles"})
    return list(dict.fromkeys(roles))


def _check_assignee(call: Call, kind: str, assignee: str) -> None:
    if kind == "group":
        known = assignee == groups.EVERYONE or call.store.get(call.tenant_id, "group", assignee)
    else:
        known = call.store.get(call.tenant_id, "user", assignee)
    if not known:
        raise Refusal(400, detail=f"there is no such {kind}", source={"pointer": "/assigneeId"})
