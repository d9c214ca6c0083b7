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
    """A shared, managed or data space: the place of apps, and what access is given to."""

    tenant: Property[str] = reference("Tenant", "The tenant that the space is in.")
    name: Property[str] = prop(
        "Name, unique among the spaces of the tenant, case-sensitive.",
        limits=SPACE_NAME,
    )
    type: Property[Literal["shared", "managed", "data"]] = prop(
        "What kind of space it is.", change=Change.REPLACES
    )
    description: Property[str] = prop("What the space is for.", default="")
    owner: Property[str] = reference(
        "User",
        "Id of the user who owns the space. The client's bot user, who makes it, then stays a member, so "
        "that apps can still be put there. Once set and then unset: the bot user owns it again.",
        default=None,
        change=Change.IN_PLACE,
        follows=True,
    )
    adopt: Property[bool] = prop(
        "Manage a space of this name that somebody else made.", default=None, change=Change.AT_CREATION
    )

    owner_id: Property[str] = output("User id of the owner, who holds every role in the space.")
    postponed: Property[list[str]] = output(
        "What the next run still has to set: a name that another resource of the stack had at the time.",
        at_qlik=False,
    )


ROLES_OF_THE_BOT = {
    "shared": ["facilitator", "producer"],
    "managed": ["consumer", "facilitator", "publisher"],
    "data": ["facilitator", "producer"],
}
"""What our bot user keeps in a space that somebody else owns, by type: TenantAdmin alone opens no apps, and
"can manage" (facilitator) publishes none.
"""


class SpaceHandler(Collection):
    """Spaces differ from the plain collection: an owner is set once there is one, and only an empty space can
    be deleted.
    """

    resource_type = Space
    path = "/api/v1/spaces"
    natural_key = ("tenant", "name")

    def can_be_renamed_temporarily(self, want: Properties) -> bool:
        """A space is told by its id, so its name may be another for a while."""
        return True

    def take_over(self, cloud: Cloud, host: Host, there: dict[str, Any], want: Properties) -> Properties:
        """Join a space that somebody else owns, or nothing could be imported or published there."""
        found = super().take_over(cloud, host, there, want)
        if want.get("adopt") and not want.get("owner"):
            bot = host.get("/api/v1/users/me")["id"]
            if there.get("ownerId") != bot:
                self._join(cloud, host, there["id"], bot, want)
        return found

    def on_created(self, id: str) -> None:
        """A space that this run made is empty, so nobody need look what is in it."""
        run.current().empty_spaces.add(id)

    def decode(self, found: dict[str, Any]) -> Properties:
        """Take the owner, which is a difference where one is wanted."""
        return super().decode(found) | {"owner": found.get("ownerId")}

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the space, then hand it over if somebody else shall own it."""
        id, found = super().create(cloud, want)
        if not want.get("owner"):
            return id, found
        try:
            return id, found | self._hand_over(cloud, id, found, want)
        except QlikError as error:
            raise Unfinished(id, want | found, error) from error

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs, the owner last."""
        changed = super().update(cloud, id, have, want)
        same = want.get("owner") == have["owner_id"] if want.get("owner") else not have.get("owner")
        return changed | ({} if same else self._hand_over(cloud, id, have, want))

    def _hand_over(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Make the wanted user the owner, or our bot user again; return what changed.

        The bot joins the space even where the owner is right already: a killed run may have got no further.
        """
        host = self.host(cloud, want)
        # Whoever has made a space owns it.
        ours = id in run.current().empty_spaces
        bot = have["owner_id"] if ours else host.get("/api/v1/users/me")["id"]
        owner = want.get("owner") or bot
        if owner != have["owner_id"]:
            patch = [{"op": "replace", "path": "/ownerId", "value": owner}]
            host.patch(self.member(id, want), patch, repeatable=True)
        if owner != bot:
            self._join(cloud, host, id, bot, want)
        return {"owner": owner, "owner_id": owner}

    def _join(self, cloud: Cloud, host: Host, id: str, bot: str, want: Properties) -> None:
        """Make our bot user a member; where it is one, add the roles that it lacks."""
        path, roles = f"/api/v1/spaces/{id}/assignments", ROLES_OF_THE_BOT[want["type"]]
        try:
            host.post(path, {"type": "user", "assigneeId": bot, "roles": roles}, repeatable=True)
        except Conflict:
            for held in host.list(path, {"assigneeId": bot}):
                if not set(roles) <= set(held["roles"]):
                    host.put(f"{path}/{held['id']}", {"roles": sorted({*held["roles"], *roles})})
        cloud.notify(f'space "{want["name"]}" ({id}): our bot user is a member ({", ".join(roles)})')

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the space; if it is not empty, say what is in it."""
        try:
            super().delete(cloud, id, have)
        except PreconditionFailed as refusal:
            host = self.host(cloud, have)
            content = [_item(item) for item in host.list("/api/v1/items", {"spaceId": id})]
            raise NotEmpty(f'"{have["name"]}" ({id})', host.hostname, content) from refusal


def _item(item: dict[str, Any]) -> str:
    return f'{item["resourceType"]} "{item["name"]}" ({item.get("resourceId", item["id"])})'


HANDLER = SpaceHandler()
