"""Users, among them the bot user of each OAuth client."""

from __future__ import annotations

from ..call import ADMIN, Call, Reply, operation
from ..clock import iso
from ..errors import Refusal
from ..store import Doc
from ..world import World, new_id
from .roles import assigned


def add_user(
    world: World, tenant: Doc, *, subject: str, name: str, roles: list[str], **fields: object
) -> Doc:
    """Make a user.

    Args:
        roles: names of roles to assign.
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
    """The user that a client acts as on a tenant; made at its first token there, with TenantAdmin."""
    subject = f"qlikbot\\{client['id']}"
    known = by_subject(world, tenant["id"], subject)
    if known:
        return known
    name = f"{region.upper()} OAuth client"
    return add_user(world, tenant, subject=subject, name=name, roles=[ADMIN], clientId=client["id"])


def by_subject(world: World, tenant_id: str, subject: str) -> Doc | None:
    """The user with that subject, or None."""
    return next(iter(world.store.all(tenant_id, "user", parent=subject)), None)


@operation("users", "getMyUser")
def me(call: Call) -> Reply:
    """Redirect to the caller's own user."""
    location = f"/api/v1/users/{call.user_id}"
    if "fields" in call.query:
        location += f"?fields={call.query['fields']}"
    page = f'<a href="{location}">Moved Permanently</a>.\n\n'
    return Reply(301, headers={"location": location}, text=page)


@operation("users", "getUserById")
def get(call: Call) -> Reply:
    """Read one user."""
    return Reply(200, view(call, find(call)))


def find(call: Call) -> Doc:
    """The user of the path, or 404."""
    user = call.store.get(call.tenant_id, "user", call.path["userId"])
    if user is None:
        raise Refusal(404)
    return user


def view(call: Call, user: Doc) -> Doc:
    """A user as the API shows it, cut down to `fields` where asked."""
    shown = user | {"links": {"self": call.link(f"/api/v1/users/{user['id']}")}}
    if "fields" not in call.query:
        return shown
    wanted = set(call.query["fields"].split(",")) | {"id", "subject", "name", "tenantId"}
    return {name: value for name, value in shown.items() if name in wanted}
