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
"""Id of the system group with every user. No list of groups contains it, and it is never deleted."""


class GroupSettings(Resource):
    """The settings for the creation of groups, and the roles of every user. There is one set per tenant.

    Deletion of the resource restores the previous values.
    """

    tenant: Property[str] = reference("Tenant", "The tenant with these settings.")
    auto_create_groups: Property[bool] = prop(
        "Whether a login creates the groups in the user's claims that do not exist yet.", default=None
    )
    sync_idp_groups: Property[bool] = prop(
        "Whether groups follow the interactive identity provider. Qlik has deprecated it.",
        default=None,
    )
    everyone_roles: Property[list[str]] = prop(
        "Names of the tenant roles that every user has. Empty list: none.",
        default=None,
        limits=ROLES_OF_A_GROUP,
    )

    before: Property[dict[str, Any]] = output("The previous values of the properties that are set here.")


class GroupSettingsHandler(Singleton):
    """CRUD handler of `GroupSettings`. The roles of the group Everyone are part of the settings."""

    resource_type = GroupSettings
    path = "/api/v1/groups/settings"

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the settings, with the names of the roles of Everyone."""
        everyone = (found.get("systemGroups") or {}).get(EVERYONE) or {}
        return super().decode(found) | {"everyone_roles": roles.names_in(everyone)}

    def write(self, host: Host, changes: Properties, known: Properties) -> None:
        """PATCH what differs."""
        with roles.explain_unknown(host, changes.get("everyone_roles")):
            host.patch(self.path, [_patch(*change) for change in changes.items()], repeatable=True)


def _patch(name: str, value: Any) -> dict[str, Any]:
    path = f"/{GroupSettings.properties[name].camel}"
    if name == "everyone_roles":
        path, value = f"/systemGroups/{EVERYONE}/assignedRoles", roles.references(value)
    return {"op": "replace", "path": path, "value": value}


HANDLER = GroupSettingsHandler()
