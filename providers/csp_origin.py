"""Origins of the content security policy (https://qlik.dev/apis/rest/csp-origins)."""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework.errors import Ambiguous
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Keyless
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Host
from tenantry.providers.values.host_sources import SOURCE
from tenantry.providers.values.limits import CSP_DESCRIPTION, CSP_NAME


class CspOrigin(Resource):
    """An origin that the tenant's content security policy allows, and what for.

    Qlik takes 256 of them, and a header of 6,144 characters with all of them in it.
    """

    tenant: Property[str] = reference("Tenant", "The tenant whose policy it is in.")
    name: Property[str] = prop("Name. Qlik takes one twice.", limits=CSP_NAME)
    origin: Property[str] = prop(
        "The host, as in `https://cdn.example.com`; here it tells the origins of a tenant apart.",
        limits=SOURCE,
    )
    description: Property[str] = prop("Why it is allowed.", default="", limits=CSP_DESCRIPTION)
    child_src: Property[bool] = prop("Workers and frames may be loaded from it.", default=False)
    connect_src: Property[bool] = prop("Scripts may connect to it.", default=False)
    connect_src_wss: Property[bool] = prop("Scripts may open WebSockets to it.", default=False)
    font_src: Property[bool] = prop("Fonts may be loaded from it.", default=False)
    form_action: Property[bool] = prop("Forms may be sent to it.", default=False)
    frame_ancestors: Property[bool] = prop("Its pages may show the tenant in a frame.", default=False)
    frame_src: Property[bool] = prop("Frames may show its pages.", default=False)
    img_src: Property[bool] = prop("Images may be loaded from it.", default=False)
    media_src: Property[bool] = prop("Audio and video may be loaded from it.", default=False)
    object_src: Property[bool] = prop("Plug-ins may be loaded from it.", default=False)
    script_src: Property[bool] = prop("Scripts may be loaded from it.", default=False)
    style_src: Property[bool] = prop("Style sheets may be loaded from it.", default=False)
    worker_src: Property[bool] = prop("Workers may be loaded from it.", default=False)
    adopt: Property[bool] = prop(
        "Manage an entry of this origin that is there. Qlik does not say who made one, so one that is the "
        "very same is taken over without it, too.",
        default=None,
        change=Change.AT_CREATION,
    )


class CspOriginHandler(Keyless):
    """A collection without a filter for exact matches, whose entries have no key, and without PATCH."""

    resource_type = CspOrigin
    path = "/api/v1/csp-origins"
    natural_key = ("tenant", "origin")

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Write `connectSrcWSS` as Qlik does."""
        return {_camel(name): value for name, value in super().encode(properties).items()}

    def decode(self, found: dict[str, Any]) -> Properties:
        """Read `connectSrcWSS`; an entry without a name goes by its origin."""
        name = found.get("name") or found["origin"]
        return super().decode({**found, "name": name, "connectSrcWss": found.get("connectSrcWSS")})

    def candidates(self, host: Host, want: Properties) -> list[dict[str, Any]]:
        """Return those of that origin."""
        return [each for each in host.list(self.path) if each["origin"] == want["origin"]]

    def choose(self, host: Host, want: Properties, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Of several take the only one that is as wanted."""
        if len(found) <= 1:
            return found[0] if found else None
        same = [each for each in found if self.is_ours(host, each, want)]
        if len(same) != 1:
            raise Ambiguous(self.label(want, ""), host.hostname, [each["id"] for each in found])
        return same[0]

    def is_ours(self, host: Host, there: dict[str, Any], want: Properties) -> bool:
        """Qlik names no maker: one that is the very same may have been made by a run that was cut off."""
        return not self.changes({**want, **self.decode(there)}, want)

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PUT all of it: Qlik does not say what becomes of what is left out."""
        if changes:
            host.put(self.member(id, want), self.encode(want))

    def label(self, want: Properties, id: str) -> str:
        """Name it by its origin."""
        return f'CspOrigin "{want["origin"]}"'


def _camel(name: str) -> str:
    return "connectSrcWSS" if name == "connectSrcWss" else name


HANDLER = CspOriginHandler()
