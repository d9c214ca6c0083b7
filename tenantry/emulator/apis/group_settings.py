"""The group settings of a tenant."""

from __future__ import annotations

from typing import Any

from tenantry.emulator.apis import groups
from tenantry.emulator.apis.roles import assigned
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.errors import Refusal
from tenantry.emulator.store import Doc

DEFAULTS = {"id": "settings", "autoCreateGroups": False, "syncIdpGroups": False}


@operation("groups", "groups_api_get_settings")
def get(call: Call) -> Reply:
    """Read the settings."""
    stored = read(call)
    everyone = groups.everyone(call)
    group = {name: everyone[name] for name in ("id", "name", "createdAt", "lastUpdatedAt", "assignedRoles")}
    return Reply(
        200,
        {
            "tenantId": call.tenant_id,
            "autoCreateGroups": stored["autoCreateGroups"],
            "syncIdpGroups": stored["syncIdpGroups"],
            "systemGroups": {groups.EVERYONE: group | {"enabled": True}},
            "links": {"self": call.link("/api/v1/groups/settings")},
        },
    )


@operation("groups", "patchSettings")
def patch(call: Call) -> Reply:
    """Replace a flag, or the roles of Everyone."""
    settings = dict(read(call))
    for change in call.body:
        _apply(call, settings, change["path"], change["value"])
    call.store.put(call.tenant_id, "group-settings", settings)
    return Reply(204)


def read(call: Call) -> Doc:
    """Return the stored settings of the tenant."""
    return call.store.get(call.tenant_id, "group-settings", "settings") or DEFAULTS


def _apply(call: Call, settings: Doc, path: str, value: Any) -> None:
    if path in ("/autoCreateGroups", "/syncIdpGroups"):
        if not isinstance(value, bool):
            raise Refusal(400, detail="value must be a boolean", source={"pointer": path})
        settings[path[1:]] = value
        return
    if path != f"/systemGroups/{groups.EVERYONE}/assignedRoles" or not isinstance(value, list):
        raise Refusal(
            400, detail="unknown system group, or value is not a list of roles", source={"pointer": path}
        )
    groups.save(call, groups.everyone(call) | {"assignedRoles": assigned(call.store, call.tenant_id, value)})
