"""Spaces (https://qlik.dev/apis/rest/spaces)."""

from __future__ import annotations

from typing import Any, Literal

from providers import run
from providers.errors import NotEmpty
from providers.limits import SPACE_NAME
from providers.properties import Change, Property, output, prop, reference
from providers.qlik import Cloud, PreconditionFailed
from providers.resource import Resource
from providers.verbs import Collection, Properties


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
    adopt: Property[bool] = prop(
        "Manage a space of this name that somebody else made.", default=None, change=Change.AT_CREATION
    )

    owner_id: Property[str] = output("User id of the owner, who holds every role in the space.")


class SpaceVerbs(Collection):
    """Spaces differ from the plain collection in one point: only an empty one can be deleted."""

    kind = Space
    path = "/api/v1/spaces"
    natural_key = ("tenant", "name")

    def made(self, id: str) -> None:
        """A space that this run made is empty, so nobody need look what is in it."""
        run.current().empty_spaces.add(id)

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


VERBS = SpaceVerbs()
