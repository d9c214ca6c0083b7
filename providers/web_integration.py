"""Web integrations (https://qlik.dev/apis/rest/web-integrations)."""

from __future__ import annotations

from typing import Any

from providers.errors import Ambiguous
from providers.keyless import Keyless
from providers.limits import NOT_EMPTY
from providers.origins import ORIGINS
from providers.properties import Change, Property, prop, reference
from providers.qlik import Host
from providers.resource import Resource
from providers.verbs import Properties, made_by_us


class WebIntegration(Resource):
    """Which web pages may show what is in the tenant. Its id is what those pages send as
    `qlik-web-integration-id`.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that the pages show.")
    name: Property[str] = prop(
        "Name. Qlik takes one twice; here it tells the web integrations of a tenant apart.", limits=NOT_EMPTY
    )
    valid_origins: Property[list[str]] = prop("Origins of the pages.", limits=ORIGINS)
    adopt: Property[bool] = prop(
        "Manage a web integration of this name that somebody else made.",
        default=None,
        change=Change.AT_CREATION,
    )


class WebIntegrationVerbs(Keyless):
    """A collection without a filter, whose names are no key."""

    kind = WebIntegration
    path = "/api/v1/web-integrations"
    natural_key = ("tenant", "name")

    def candidates(self, host: Host, want: Properties) -> list[dict[str, Any]]:
        """Return those of that name."""
        return [each for each in host.list(self.path) if each["name"] == want["name"]]

    def choose(self, host: Host, want: Properties, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Of several take the only one that this client made."""
        if len(found) <= 1:
            return found[0] if found else None
        ours = [each for each in found if made_by_us(host, each.get(self.maker))]
        if len(ours) != 1:
            raise Ambiguous(self.label(want, ""), host.hostname, [each["id"] for each in found])
        return ours[0]


VERBS = WebIntegrationVerbs()
