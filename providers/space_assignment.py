"""Assignments of spaces (https://qlik.dev/apis/rest/spaces, `/spaces/{spaceId}/assignments`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from tenantry.providers.framework.handlers import Collection, Properties
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud, Host, NotFound
from tenantry.providers.values.limits import NOT_EMPTY, SPACE_ROLES


class SpaceAssignment(Resource):
    """The roles of one group, user or bot in a space. There is at most one per space and assignee."""

    tenant: Property[str] = reference("Tenant", "The tenant that contains the space.")
    space: Property[str] = reference("Space", "The space to give access to.")
    assignee: Property[str] = reference("Group", "Id of the group, user or bot that gets access.")
    type: Property[Literal["group", "user", "bot"]] = prop(
        "Type of the assignee.", default="group", change=Change.REPLACES
    )
    roles: Property[list[str]] = prop(
        "Roles in the space. The possible roles depend on the type of the space.",
        limits=NOT_EMPTY,
        choices=SPACE_ROLES,
    )
    adopt: Property[bool] = prop(
        "Take over an existing assignment that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )


class SpaceAssignmentHandler(Collection):
    """CRUD handler of `SpaceAssignment`.

    It finds an assignment by its assignee, and updates it with a PUT of all roles.
    """

    resource_type = SpaceAssignment
    path = "/api/v1/spaces/{space}/assignments"
    natural_key = ("tenant", "space", "assignee")

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return the JSON for Qlik, with `assigneeId`."""
        body = super().encode(properties)
        return body | ({"assigneeId": properties["assignee"]} if "assignee" in properties else {})

    def lookup(self, host: Host, want: Properties) -> dict[str, Any] | None:
        """Return the assignment of the assignee, or None."""
        return next(host.list(self.path.format(**want), {"assigneeId": want["assignee"]}), None)

    def listed(self, host: Host, have: Properties) -> Iterable[dict[str, Any]]:
        """Return all assignments of the space, or none if the space certainly no longer exists."""
        try:
            return list(super().listed(host, have))
        except NotFound:
            if any(space["id"] == have["space"] for space in host.list("/api/v1/spaces")):
                raise
            return []

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PUT the whole list of roles."""
        if self.changes(have, want):
            self.host(cloud, want).put(self.member(id, want), {"roles": want["roles"]})
        return {}


HANDLER = SpaceAssignmentHandler()
