"""Group settings of a tenant (https://qlik.dev/apis/rest/groups, `/groups/settings`)."""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.properties import Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.framework.singleton import Singleton
from tenantry.providers.lookups import roles
from tenantry.providers.qlik import Host
from tenantry.providers.values.limits import ROLES_OF_A_GROUP

EVERYONE = "000000000000000000000001"
"""The system group that every user is in: in no list of groups, and never deleted."""


class GroupSettings(Resource):
    """How groups come into the tenant, and which roles everyone has. There is one set per tenant; deleting
    the resource gives back what was there before.
    """

    tenant: Property[str] = reference("Tenant", "The tenant whose settings they are.")
    auto_create_groups: Property[bool] = prop(
        "Whether a group in a user's claims that is not there yet is made at login.", default=None
    )
    sync_idp_groups: Property[bool] = prop(
        "Whether groups are kept as an interactive identity provider has them. Qlik calls it deprecated.",
        default=None,
    )
    everyone_roles: Property[list[str]] = prop(
        "Names of the tenant roles that every user has; an empty list: none.",
        default=None,
        limits=ROLES_OF_A_GROUP,
    )

    before: Property[dict[str, Any]] = output("What was there before, of what is set here.")


class GroupSettingsHandler(Singleton):
    """The roles of Everyone are a part of the settings, under the id of that group."""

    resource_type = GroupSettings
    path = "/api/v1/groups/settings"

    def decode(self, found: dict[str, Any]) -> Properties:
        """Take the names of Everyone's roles."""
        everyone = (found.get("systemGroups") or {}).get(EVERYONE) or {}
        return super().decode(found) | {"everyone_roles": roles.names_in(everyone)}

    def write(self, host: Host, changes: Properties, known: Properties) -> None:
        """PATCH what differs."""
        with roles.explained(host, changes.get("everyone_roles")):
            host.patch(self.path, [_patch(*change) for change in changes.items()], repeatable=True)


def _patch(name: str, value: Any) -> dict[str, Any]:
    path = f"/{GroupSettings.properties[name].camel}"
    if name == "everyone_roles":
        path, value = f"/systemGroups/{EVERYONE}/assignedRoles", roles.references(value)
    return {"op": "replace", "path": path, "value": value}


HANDLER = GroupSettingsHandler()
