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

    Qlik allows 50 of them, and shows them in the order of their creation.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that shows the link.")
    name: Property[str] = prop(
        "The text of the link. Qlik allows duplicates, but Tenantry requires a unique name in the tenant.",
        limits=LINK_NAME,
    )
    link: Property[str] = prop("The URL of the link.", limits=HTTPS)
    adopt: Property[bool] = prop(
        "Take over an existing link with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )


class PinnedLinkHandler(Named):
    """CRUD handler of `PinnedLink`. The list has no pages, and Qlik accepts duplicate names."""

    resource_type = PinnedLink
    path = "/api/v1/ui-config/pinned-links"
    page = None

    def body(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        """Return the body for POST, with the constants that Qlik requires."""
        return {**self.encode(want), "type": "custom-link", "scope": "tenant"}


HANDLER = PinnedLinkHandler()
