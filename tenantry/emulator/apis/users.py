"""Users, including the bot user of each OAuth client."""

from __future__ import annotations

from urllib.parse import quote

from tenantry.emulator.apis.roles import assigned
from tenantry.emulator.call import ADMIN, Call, Reply, operation
from tenantry.emulator.clock import DAY, iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import Doc
from tenantry.emulator.world import World, new_id

INVITATION = 30 * DAY
FILTERABLE = dict.fromkeys(
    (
        "id",
        "status",
        "clientId",
        "assignedRoles.id",
        "assignedRoles.name",
        "assignedGroups.id",
        "assignedGroups.assignedRoles.name",
        "assignedScopes",
    ),
    "eq",
) | {"subject": "eq co", "name": "eq co", "email": "eq co"}


def add_user(
    world: World, tenant: Doc, *, subject: str, name: str, roles: list[str], **fields: object
) -> Doc:
    """Create a user.

    Args:
        roles: the names of the roles to assign.
        fields: further fields, such as `email`, `status`, `clientId`.
    """
    now = iso(world.now())
    user: Doc = {
        "id": new_id(),
        "tenantId": tenant["id"],
        "subject": subject,
        "name": name,
        "status": "active",
        "assignedRoles": assigned(world.store, tenant["id"], [{"name": role} for role in roles]),
        "assignedGroups": [],
        "createdAt": now,
        "lastUpdatedAt": now,
        **fields,
    }
    return world.store.put(tenant["id"], "user", user, parent=subject)


def bot_of(world: World, tenant: Doc, client: Doc, region: str) -> Doc:
    """Return the bot user of a client on a tenant. The first call creates it, with the role TenantAdmin."""
    subject = f"qlikbot\\{client['id']}"
    existing = by_subject(world, tenant["id"], subject)
    if existing:
        return existing
    name = f"{region.upper()} OAuth client"
    return add_user(world, tenant, subject=subject, name=name, roles=[ADMIN], clientId=client["id"])


def by_subject(world: World, tenant_id: str, subject: str) -> Doc | None:
    """Return the user with a subject, or None."""
    return next(iter(world.store.all(tenant_id, "user", parent=subject)), None)


@operation("users", "getMyUser")
def me(call: Call) -> Reply:
    """Redirect to the caller's own user."""
    location = f"/api/v1/users/{call.user_id}"
    if "fields" in call.query:
        location += f"?fields={quote(call.query['fields'], safe=',')}"
    page = f'<a href="{location}">Moved Permanently</a>.\n\n'
    return Reply(301, headers={"location": location}, text=page)


@operation("users", "getUsers")
def listing(call: Call) -> Reply:
    """List the tenant's users, including bots."""
    return _page(call, call.query.get("filter"))


@operation("users", "users_api_actions_filter")
def filtered(call: Call) -> Reply:
    """List the tenant's users, with the filter in the body."""
    return _page(call, (call.body or {}).get("filter"))


@operation("users", "countUsers")
def count(call: Call) -> Reply:
    """Return the number of users."""
    return Reply(200, {"total": call.store.count(call.tenant_id, "user")})


@operation("users", "createUser")
def create(call: Call) -> Reply:
    """Create a user before its first login. The subject and the e-mail address must be unique."""
    body = dict(call.body)
    subject = body.pop("subject")
    if not subject:
        raise Refusal(400, detail="subject must not be empty", source={"pointer": "/subject"})
    if body.pop("tenantId", call.tenant_id) != call.tenant_id:
        raise Refusal(400, detail="tenantId is not this tenant", source={"pointer": "/tenantId"})
    if by_subject(call.world, call.tenant_id, subject):
        raise Refusal(409, detail="a user with this subject exists")
    body.setdefault("status", "invited")
    if body["status"] == "invited":
        if not body.get("email"):
            raise Refusal(400, detail="an invited user needs an email", source={"pointer": "/email"})
        body["inviteExpiry"] = int(call.world.now() + INVITATION)
    check_email(call, body.get("email", ""))
    body["assignedRoles"] = assigned(call.store, call.tenant_id, body.get("assignedRoles", []))
    name = body.pop("name", "") or body.get("email") or subject
    return Reply(
        201, view(call, add_user(call.world, call.tenant, subject=subject, name=name, roles=[], **body))
    )


@operation("users", "getUserById")
def get(call: Call) -> Reply:
    """Read a user."""
    return Reply(200, view(call, find(call)))


@operation("users", "deleteUserById")
def delete(call: Call) -> Reply:
    """Delete a user and its roles in spaces. Callers cannot delete themselves."""
    user = find(call)
    if user["id"] == call.user_id:
        raise Refusal(400, detail="users cannot delete themselves")
    call.store.delete(call.tenant_id, "user", user["id"])
    delete_assignments_of(call, user["id"])
    return Reply(204)


def find(call: Call) -> Doc:
    """Return the user in the path, or raise 404."""
    user = call.store.get(call.tenant_id, "user", call.path["userId"])
    if user is None:
        raise Refusal(404)
    return user


def view(call: Call, user: Doc) -> Doc:
    """Return a user as the API shows it. The query's `fields` can limit the members."""
    result = user | {"links": {"self": call.link(f"/api/v1/users/{user['id']}")}}
    if "fields" not in call.query:
        return result
    visible_names = set(call.query["fields"].split(",")) | {"id", "subject", "name", "tenantId"}
    return {name: value for name, value in result.items() if name in visible_names}


def check_email(call: Call, email: str, own_id: str = "") -> None:
    """Refuse with 409 if another user has the e-mail address. The comparison ignores case."""
    for user in call.store.all(call.tenant_id, "user") if email else []:
        if user.get("email", "").casefold() == email.casefold() and user["id"] != own_id:
            raise Refusal(409, detail="a user with this email exists")


def delete_assignments_of(call: Call, assignee: str) -> None:
    """Delete all space assignments of a deleted user or group."""
    for assignment in call.store.all(call.tenant_id, "assignment"):
        if assignment["assigneeId"] == assignee:
            call.store.delete(call.tenant_id, "assignment", assignment["id"])


def _page(call: Call, text: str | None) -> Reply:
    users = call.store.all(call.tenant_id, "user")
    if text:
        matches = compile_filter(
            text.replace("assignedGroupsAssignedRoles", "assignedGroups.assignedRoles"), FILTERABLE
        )
        users = [user for user in users if matches(user)]
    data, links = page(call, users, default=20, sort="+name")
    body: Doc = {"data": [view(call, user) for user in data], "links": links}
    if call.query.get("totalResults"):
        body["totalResults"] = len(users)
    return Reply(200, body)
