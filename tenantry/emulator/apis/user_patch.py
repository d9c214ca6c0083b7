"""Changes to a user: the operations that each path allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenantry.emulator.apis import groups, users
from tenantry.emulator.apis.roles import assigned
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.store import Doc

Change = Callable[[Call, Doc, Any], None]
STATUSES = ("active", "disabled", "invited")


@operation("users", "updateUserById")
def patch(call: Call) -> Reply:
    """Change a user. If one change is refused, no change is applied (the emulator never returns 207)."""
    user = users.find(call)
    for change in call.body:
        apply = CHANGES.get((_operation(change["op"]), change["path"]))
        if apply is None:
            detail = f"{change['path']} does not allow {change['op']}"
            raise Refusal(400, detail=detail, source={"pointer": change["path"]})
        apply(call, user, change["value"])
    user["lastUpdatedAt"] = iso(call.world.now())
    call.store.put(call.tenant_id, "user", user)
    return Reply(204)


def _operation(op: str) -> str:
    return "replace" if op == "set" else op


def _text(name: str) -> Change:
    def change(call: Call, user: Doc, value: Any) -> None:
        if not isinstance(value, str):
            raise _invalid_value(name, "a string")
        user[name] = value

    return change


def _email(call: Call, user: Doc, value: Any) -> None:
    if not isinstance(value, str) or "@" not in value:
        raise _invalid_value("email", "an e-mail address")
    try:
        users.check_email(call, value, user["id"])
    except Refusal as refusal:
        # A 400, because the contract has no 409 for PATCH.
        raise Refusal(400, detail=refusal.detail, source={"pointer": "/email"}) from None
    user["email"] = value


def _status(call: Call, user: Doc, value: Any) -> None:
    if value not in STATUSES:
        raise _invalid_value("status", f"one of {', '.join(STATUSES)}")
    user["status"] = value


def _renew_invitation(call: Call, user: Doc, value: Any) -> None:
    if user["status"] != "invited":
        raise Refusal(400, detail="the user is not invited", source={"pointer": "/inviteExpiry"})
    user["inviteExpiry"] = int(call.world.now() + users.INVITATION)


def _replace_roles(call: Call, user: Doc, value: Any) -> None:
    user["assignedRoles"] = assigned(call.store, call.tenant_id, _references(value))


def _replace_role_names(call: Call, user: Doc, value: Any) -> None:
    """Replace the deprecated `/roles`, a list of names."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _invalid_value("roles", "a list of names")
    _replace_roles(call, user, [{"name": name} for name in value])


def _add_role(call: Call, user: Doc, value: Any) -> None:
    (role,) = assigned(call.store, call.tenant_id, _references([value]))
    user["assignedRoles"] = [r for r in user["assignedRoles"] if r["id"] != role["id"]] + [role]


def _remove_role(call: Call, user: Doc, value: Any) -> None:
    (role,) = assigned(call.store, call.tenant_id, _references([value]))
    user["assignedRoles"] = [r for r in user["assignedRoles"] if r["id"] != role["id"]]


def _replace_groups(call: Call, user: Doc, value: Any) -> None:
    found = [_group(call, reference) for reference in _references(value)]
    idp_groups = [group for group in user["assignedGroups"] if group["providerType"] == "idp"]
    user["assignedGroups"] = idp_groups + list({group["id"]: group for group in found}.values())


def _add_group(call: Call, user: Doc, value: Any) -> None:
    group = _group(call, value)
    if any(other["id"] == group["id"] for other in user["assignedGroups"]):
        raise Refusal(400, detail="the user is already in this group", source={"pointer": "/assignedGroups"})
    user["assignedGroups"].append(group)


def _remove_group(call: Call, user: Doc, value: Any) -> None:
    group = _group(call, value)
    user["assignedGroups"] = [other for other in user["assignedGroups"] if other["id"] != group["id"]]


def _group(call: Call, reference: Any) -> Doc:
    """Return a custom group by id, `{id}` or `{name, providerType}`."""
    selector = reference if isinstance(reference, dict) else {"id": reference}
    for group in call.store.all(call.tenant_id, "group"):
        if group["id"] == selector.get("id") or (
            group["name"] == selector.get("name") and group["providerType"] == selector.get("providerType")
        ):
            if group["providerType"] != "custom":
                break
            return groups.membership(group)
    raise Refusal(400, detail="there is no such custom group", source={"pointer": "/assignedGroups"})


def _references(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _invalid_value("assignedRoles", "a list of {id} or {name}")
    return value


def _invalid_value(name: str, expected: str) -> Refusal:
    return Refusal(400, detail=f"value must be {expected}", source={"pointer": f"/{name}"})


CHANGES: dict[tuple[str, str], Change] = {
    ("replace", "/name"): _text("name"),
    ("replace", "/preferredLocale"): _text("preferredLocale"),
    ("replace", "/preferredZoneinfo"): _text("preferredZoneinfo"),
    ("replace", "/email"): _email,
    ("replace", "/status"): _status,
    ("renew", "/inviteExpiry"): _renew_invitation,
    ("replace", "/assignedRoles"): _replace_roles,
    ("add", "/assignedRoles/-"): _add_role,
    ("remove-value", "/assignedRoles"): _remove_role,
    ("replace", "/roles"): _replace_role_names,
    ("replace", "/assignedGroups"): _replace_groups,
    ("add", "/assignedGroups/-"): _add_group,
    ("remove-value", "/assignedGroups"): _remove_group,
}
"""(op, path) -> the change that it makes (contract: `x-patch-matrix` of users)."""
