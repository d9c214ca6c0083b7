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
    """An origin in the tenant's content security policy, with the permissions of this origin.

    Qlik allows 256 of them, and 6,144 characters for the header with all of them.
    """

    tenant: Property[str] = reference("Tenant", "The tenant with the policy.")
    name: Property[str] = prop("Name. Qlik allows duplicates.", limits=CSP_NAME)
    origin: Property[str] = prop(
        "The host, as in `https://cdn.example.com`. Tenantry requires it to be unique in the tenant.",
        limits=SOURCE,
    )
    description: Property[str] = prop("Why it is allowed.", default="", limits=CSP_DESCRIPTION)
    child_src: Property[bool] = prop("Workers and frames can be loaded from it.", default=False)
    connect_src: Property[bool] = prop("Scripts can connect to it.", default=False)
    connect_src_wss: Property[bool] = prop("Scripts can open WebSockets to it.", default=False)
    font_src: Property[bool] = prop("Fonts can be loaded from it.", default=False)
    form_action: Property[bool] = prop("Forms can be sent to it.", default=False)
    frame_ancestors: Property[bool] = prop("Its pages can show the tenant in a frame.", default=False)
    frame_src: Property[bool] = prop("Frames can show its pages.", default=False)
    img_src: Property[bool] = prop("Images can be loaded from it.", default=False)
    media_src: Property[bool] = prop("Audio and video can be loaded from it.", default=False)
    object_src: Property[bool] = prop("Plug-ins can be loaded from it.", default=False)
    script_src: Property[bool] = prop("Scripts can be loaded from it.", default=False)
    style_src: Property[bool] = prop("Style sheets can be loaded from it.", default=False)
    worker_src: Property[bool] = prop("Workers can be loaded from it.", default=False)
    adopt: Property[bool] = prop(
        "Take over an existing entry for this origin. Qlik does not say who created an entry, so Tenantry "
        "takes over an identical entry even without `adopt`.",
        default=None,
        change=Change.AT_CREATION,
    )


class CspOriginHandler(Keyless):
    """CRUD handler of `CspOrigin`. Qlik has no filter for exact matches, no unique key and no PATCH."""

    resource_type = CspOrigin
    path = "/api/v1/csp-origins"
    natural_key = ("tenant", "origin")

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return the JSON for Qlik, with `connectSrcWSS` in Qlik's spelling."""
        return {_camel(name): value for name, value in super().encode(properties).items()}

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties of an entry. Without a name, the origin is its name."""
        name = found.get("name") or found["origin"]
        return super().decode({**found, "name": name, "connectSrcWss": found.get("connectSrcWSS")})

    def candidates(self, host: Host, want: Properties) -> list[dict[str, Any]]:
        """Return the entries with the requested origin."""
        return [entry for entry in host.list(self.path) if entry["origin"] == want["origin"]]

    def choose(self, host: Host, want: Properties, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the only entry in `found`. Of several, return the only one that is identical to `want`.

        Raises Ambiguous.
        """
        if len(found) <= 1:
            return found[0] if found else None
        identical = [candidate for candidate in found if self.is_ours(host, candidate, want)]
        if len(identical) != 1:
            raise Ambiguous(self.label(want, ""), host.hostname, [entry["id"] for entry in found])
        return identical[0]

    def is_ours(self, host: Host, existing: dict[str, Any], want: Properties) -> bool:
        """Tell whether an entry is identical to `want`.

        Qlik does not name the creator. An interrupted run may have created an identical entry.
        """
        return not self.changes({**want, **self.decode(existing)}, want)

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PUT all properties, because Qlik does not document what happens to missing ones."""
        if changes:
            host.put(self.member(id, want), self.encode(want))

    def label(self, want: Properties, id: str) -> str:
        """Return the origin for messages."""
        return f'CspOrigin "{want["origin"]}"'


def _camel(name: str) -> str:
    return "connectSrcWSS" if name == "connectSrcWss" else name


HANDLER = CspOriginHandler()
