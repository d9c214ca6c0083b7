"""Groups (https://qlik.dev/apis/rest/groups)."""

from __future__ import annotations

from typing import Any, Literal

from tenantry.providers.framework.handlers import Collection, Properties
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.lookups import roles, scim
from tenantry.providers.qlik import Cloud, Host
from tenantry.providers.values.limits import GROUP_NAME, ROLES_OF_A_GROUP


class Group(Resource):
    """A group of users, and the tenant roles that its members have."""

    tenant: Property[str] = reference("Tenant", "The tenant that contains the group.")
    name: Property[str] = prop(
        "Name, unique among the groups of its provider type, case-sensitive. For an `idp` group it is the "
        "name in the users' claims, and a change replaces the group.",
        limits=GROUP_NAME,
    )
    provider_type: Property[Literal["idp", "custom"]] = prop(
        "Whether the members come from the identity provider or are set in Qlik.",
        default="idp",
        change=Change.REPLACES,
    )
    description: Property[str] = prop("Description of the group. Only custom groups have one.", default="")
    roles: Property[list[str]] = prop(
        "Names of the tenant roles that members have, case-sensitive.",
        default=[],
        limits=ROLES_OF_A_GROUP,
    )
    adopt: Property[bool] = prop(
        "Take over an existing group with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )

    status: Property[str] = output("`active` or `disabled`.")
    postponed: Property[list[str]] = output(
        "Properties that the next run has to set: a name that another resource of the stack still had.",
        at_qlik=False,
    )


class GroupHandler(Collection):
    """CRUD handler of `Group`. Only custom groups can be renamed."""

    resource_type = Group
    path = "/api/v1/groups"
    natural_key = ("tenant", "name", "provider_type")

    def replaces(self, have: Properties, want: Properties) -> list[str]:
        """Replace an idp group if its name changes, because Qlik cannot rename it."""
        return ["name"] if want.get("provider_type") == "idp" else []

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Refuse a description of an idp group, because Qlik does not store it."""
        if want.get("provider_type") == "idp" and want.get("description"):
            return {"description": "an idp group cannot have one; remove it, or set provider_type: custom"}
        return {}

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return the JSON for Qlik, with an object for each role, and no description for an idp group."""
        body = super().encode(properties)
        if "roles" in body:
            body["assignedRoles"] = roles.references(body.pop("roles"))
        if properties.get("provider_type") == "idp":
            body.pop("description", None)
        return body

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties of a group, with the names of its roles."""
        return super().decode(found) | {"roles": roles.names_in(found)}

    def can_be_renamed_temporarily(self, want: Properties) -> bool:
        """Tell whether the name can change for a while. Only a custom group can be renamed."""
        return bool(want["provider_type"] == "custom")

    def is_ours(self, host: Host, existing: dict[str, Any], want: Properties) -> bool:
        """Tell whether a login or this client created the group.

        A login creates an idp group without roles and without a description.
        """
        is_bare = not roles.names_in(existing) and not existing.get("description")
        return (want["provider_type"] == "idp" and is_bare) or super().is_ours(host, existing, want)

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the group. Raises UnknownRole if the tenant does not have one of the roles."""
        with roles.explain_unknown(self.host(cloud, want), want["roles"]):
            return super().create(cloud, want)

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs. Raises UnknownRole if the tenant does not have one of the roles."""
        with roles.explain_unknown(self.host(cloud, want), want["roles"]):
            return super().update(cloud, id, have, want)

    def lookup(self, host: Host, want: Properties) -> dict[str, Any] | None:
        """Find the group by filter. Qlik ignores case, so compare the name again."""
        for group in host.list(self.path, {"filter": scim.equals("name", want["name"])}):
            if (group["name"], group.get("providerType", "idp")) == (want["name"], want["provider_type"]):
                return group
        return None


HANDLER = GroupHandler()
