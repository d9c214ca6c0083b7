"""Web integrations (https://qlik.dev/apis/rest/web-integrations)."""

from __future__ import annotations

from tenantry.providers.framework.keyless import Named
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.values.limits import NOT_EMPTY
from tenantry.providers.values.origins import ORIGINS


class WebIntegration(Resource):
    """Web pages that can embed content of the tenant. They send its id as `qlik-web-integration-id`."""

    tenant: Property[str] = reference("Tenant", "The tenant whose content the pages embed.")
    name: Property[str] = prop(
        "Name. Qlik allows duplicates, but Tenantry requires a unique name in the tenant.", limits=NOT_EMPTY
    )
    valid_origins: Property[list[str]] = prop("Origins of the pages.", limits=ORIGINS)
    adopt: Property[bool] = prop(
        "Take over an existing web integration with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )


class WebIntegrationHandler(Named):
    """CRUD handler of `WebIntegration`. The list has no filter, and Qlik accepts duplicate names."""

    resource_type = WebIntegration
    path = "/api/v1/web-integrations"


HANDLER = WebIntegrationHandler()
