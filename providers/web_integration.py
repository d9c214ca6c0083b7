"""Web integrations (https://qlik.dev/apis/rest/web-integrations)."""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework.keyless import Keyless
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.framework.verbs import Properties
from tenantry.providers.qlik import Host
from tenantry.providers.values.limits import NOT_EMPTY
from tenantry.providers.values.origins import ORIGINS


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
        return self.only_ours(host, want, found)


VERBS = WebIntegrationVerbs()
