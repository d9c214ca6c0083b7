"""Pinned links (https://qlik.dev/apis/rest/ui-config): links in the navigation of the tenant."""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Named
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud, Host
from tenantry.providers.values.limits import LINK_NAME
from tenantry.providers.values.urls import HTTPS


class PinnedLink(Resource):
    """A link that all users of the tenant see in the navigation menu.

    Qlik takes 50 of them, and shows them in the order in which they were made.
    """

    tenant: Property[str] = reference("Tenant", "The tenant whose users see it.")
    name: Property[str] = prop(
        "Its text. Qlik takes one twice; here it tells the links of a tenant apart.", limits=LINK_NAME
    )
    link: Property[str] = prop("The address that it leads to.", limits=HTTPS)
    adopt: Property[bool] = prop(
        "Manage a link of this name that somebody else made.", default=None, change=Change.AT_CREATION
    )


class PinnedLinkHandler(Named):
    """A collection that is listed whole, and whose names are not unique."""

    resource_type = PinnedLink
    path = "/api/v1/ui-config/pinned-links"
    page = None

    def body(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        """Add what Qlik requires and takes only one value of."""
        return {**self.encode(want), "type": "custom-link", "scope": "tenant"}


HANDLER = PinnedLinkHandler()
