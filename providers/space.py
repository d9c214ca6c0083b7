"""Spaces (https://qlik.dev/apis/rest/spaces)."""

from __future__ import annotations

from typing import Any, Literal

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import NotEmpty, Unfinished
from tenantry.providers.framework.handlers import Collection, Properties
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud, Conflict, Host, PreconditionFailed, QlikError
from tenantry.providers.values.limits import SPACE_NAME


class Space(Resource):
    """A shared, managed or data space. It contains apps, and groups and people get access to it."""

    tenant: Property[str] = reference("Tenant", "The tenant that contains the space.")
    name: Property[str] = prop(
        "Name, unique among the spaces of the tenant, case-sensitive.",
        limits=SPACE_NAME,
    )
    type: Property[Literal["shared", "managed", "data"]] = prop("Type of the space.", change=Change.REPLACES)
    description: Property[str] = prop("Description of the space.", default="")
    owner: Property[str] = reference(
        "User",
        "Id of the user who owns the space. The client's bot user, who creates it, then stays a member, so "
        "that it can still import and publish apps there. If you remove the owner, the bot user becomes the "
        "owner again.",
        default=None,
        change=Change.IN_PLACE,
        follows=True,
    )
    adopt: Property[bool] = prop(
        "Take over an existing space with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )

    owner_id: Property[str] = output("User id of the owner, who holds every role in the space.")
    postponed: Property[list[str]] = output(
        "Properties that the next run has to set: a name that another resource of the stack still had.",
        at_qlik=False,
    )


ROLES_OF_THE_BOT = {
    "shared": ["facilitator", "producer"],
    "managed": ["consumer", "facilitator", "publisher"],
    "data": ["facilitator", "producer"],
}
"""The roles of the bot user in a space that another user owns, by type of space.

TenantAdmin alone cannot open apps, and "can manage" (facilitator) cannot publish them.
"""


class SpaceHandler(Collection):
    """CRUD handler of `Space`.

    A PATCH after the creation sets the owner. Qlik deletes only an empty space.
    """

    resource_type = Space
    path = "/api/v1/spaces"
    natural_key = ("tenant", "name")

    def can_be_renamed_temporarily(self, want: Properties) -> bool:
        """Return True, because a space has its own id, so its name can change for a while."""
        return True

    def take_over(self, cloud: Cloud, host: Host, existing: dict[str, Any], want: Properties) -> Properties:
        """Take over the space. If another user owns it, join it, so that we can import and publish apps."""
        found = super().take_over(cloud, host, existing, want)
        if want.get("adopt") and not want.get("owner"):
            bot = host.get("/api/v1/users/me")["id"]
            if existing.get("ownerId") != bot:
                self._join(cloud, host, existing["id"], bot, want)
        return found

    def on_created(self, id: str) -> None:
        """Record that the new space is empty, so that no later call reads its content."""
        run.current().empty_spaces.add(id)

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties with the owner."""
        return super().decode(found) | {"owner": found.get("ownerId")}

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the space, then change its owner if one is set."""
        id, found = super().create(cloud, want)
        if not want.get("owner"):
            return id, found
        try:
            return id, found | self._hand_over(cloud, id, found, want)
        except QlikError as error:
            raise Unfinished(id, want | found, error) from error

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs. Change the owner last."""
        changed = super().update(cloud, id, have, want)
        same_owner = want.get("owner") == have["owner_id"] if want.get("owner") else not have.get("owner")
        return changed | ({} if same_owner else self._hand_over(cloud, id, have, want))

    def _hand_over(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Make the requested user the owner, or the bot user if there is none. Return what changed.

        The bot user joins the space even if the owner is already right, because a run that was killed may
        not have added it.
        """
        host = self.host(cloud, want)
        # The creator of a space owns it.
        is_new = id in run.current().empty_spaces
        bot = have["owner_id"] if is_new else host.get("/api/v1/users/me")["id"]
        owner = want.get("owner") or bot
        if owner != have["owner_id"]:
            patch = [{"op": "replace", "path": "/ownerId", "value": owner}]
            host.patch(self.member(id, want), patch, repeatable=True)
        if owner != bot:
            self._join(cloud, host, id, bot, want)
        return {"owner": owner, "owner_id": owner}

    def _join(self, cloud: Cloud, host: Host, id: str, bot: str, want: Properties) -> None:
        """Make the bot user a member. If it is one already, add the missing roles."""
        path, roles = f"/api/v1/spaces/{id}/assignments", ROLES_OF_THE_BOT[want["type"]]
        try:
            host.post(path, {"type": "user", "assigneeId": bot, "roles": roles}, repeatable=True)
        except Conflict:
            for assignment in host.list(path, {"assigneeId": bot}):
                if not set(roles) <= set(assignment["roles"]):
                    host.put(f"{path}/{assignment['id']}", {"roles": sorted({*assignment["roles"], *roles})})
        cloud.notify(f'space "{want["name"]}" ({id}): the bot user is a member ({", ".join(roles)})')

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the space. Raises NotEmpty with the content if it is not empty."""
        try:
            super().delete(cloud, id, have)
        except PreconditionFailed as refusal:
            host = self.host(cloud, have)
            content = [_item(item) for item in host.list("/api/v1/items", {"spaceId": id})]
            raise NotEmpty(f'"{have["name"]}" ({id})', host.hostname, content) from refusal


def _item(item: dict[str, Any]) -> str:
    return f'{item["resourceType"]} "{item["name"]}" ({item.get("resourceId", item["id"])})'


HANDLER = SpaceHandler()
