"""Web integrations (https://qlik.dev/apis/rest/web-integrations)."""

from __future__ import annotations

from tenantry.providers.framework.keyless import Named
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
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


class WebIntegrationHandler(Named):
    """A collection without a filter, whose names are no key."""

    resource_type = WebIntegration
    path = "/api/v1/web-integrations"


HANDLER = WebIntegrationHandler()
