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

    tenant: Property[str] = reference("Tenant", "The tenant that the group is in.")
    name: Property[str] = prop(
        "Name, unique among the groups of its provider type, case-sensitive. For an `idp` group it is the "
        "name in the users' claims, and another name is another group.",
        limits=GROUP_NAME,
    )
    provider_type: Property[Literal["idp", "custom"]] = prop(
        "Whether the members come from the identity provider or are set in Qlik.",
        default="idp",
        change=Change.REPLACES,
    )
    description: Property[str] = prop("What the group is for; custom groups only.", default="")
    roles: Property[list[str]] = prop(
        "Names of the tenant roles that members have, case-sensitive.",
        default=[],
        limits=ROLES_OF_A_GROUP,
    )
    adopt: Property[bool] = prop(
        "Manage a group of this name that somebody else made.", default=None, change=Change.AT_CREATION
    )

    status: Property[str] = output("`active` or `disabled`.")
    postponed: Property[list[str]] = output(
        "What the next run still has to set: a name that another resource of the stack had at the time.",
        at_qlik=False,
    )


class GroupHandler(Collection):
    """Groups name their roles by object, and only custom ones can be renamed."""

    resource_type = Group
    path = "/api/v1/groups"
    natural_key = ("tenant", "name", "provider_type")

    def replaces(self, have: Properties, want: Properties) -> list[str]:
        """An idp group cannot be renamed: another name is another group."""
        return ["name"] if want.get("provider_type") == "idp" else []

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """An idp group has no description at Qlik."""
        if want.get("provider_type") == "idp" and want.get("description"):
            return {"description": "an idp group cannot have one; remove it, or set provider_type: custom"}
        return {}

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Name each role by an object; leave out the description of an idp group, which has none."""
        body = super().encode(properties)
        if "roles" in body:
            body["assignedRoles"] = roles.references(body.pop("roles"))
        if properties.get("provider_type") == "idp":
            body.pop("description", None)
        return body

    def decode(self, found: dict[str, Any]) -> Properties:
        """Take the names of the roles."""
        return super().decode(found) | {"roles": roles.names_in(found)}

    def can_be_renamed_temporarily(self, want: Properties) -> bool:
        """A custom group is told by its id; an idp group is its name."""
        return bool(want["provider_type"] == "custom")

    def is_ours(self, host: Host, there: dict[str, Any], want: Properties) -> bool:
        """What a login made is an idp group's name and no more: nobody has given it roles or said what it
        is for.
        """
        bare = not roles.names_in(there) and not there.get("description")
        return (want["provider_type"] == "idp" and bare) or super().is_ours(host, there, want)

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the group; a role that the tenant does not have is named."""
        with roles.explained(self.host(cloud, want), want["roles"]):
            return super().create(cloud, want)

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs; a role that the tenant does not have is named."""
        with roles.explained(self.host(cloud, want), want["roles"]):
            return super().update(cloud, id, have, want)

    def lookup(self, host: Host, want: Properties) -> dict[str, Any] | None:
        """Groups are found by filter; Qlik compares without regard to case, so compare again."""
        for group in host.list(self.path, {"filter": scim.equals("name", want["name"])}):
            if (group["name"], group.get("providerType", "idp")) == (want["name"], want["provider_type"]):
                return group
        return None


HANDLER = GroupHandler()
