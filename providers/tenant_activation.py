"""That a tenant is in use: what tells the next run that a destroy was cut off.

A destroy takes it out of the state first, and deactivates the tenant after that. So where a destroy was cut
off, the state has a tenant and no activation: the next `pulumi up` makes it, and with it the tenant is
active again. Without it such a run would have nothing to do, while the tenant waits for its purge.
"""

from __future__ import annotations

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud
from tenantry.providers.tenant_lifecycle import TenantLifecycleHandler
from tenantry.providers.values.limits import DAY, NOT_EMPTY


class TenantActivation(Resource):
    """Makes sure that the tenant is active when it is made; its deletion sends no request.

    Let it depend on the `TenantLifecycle`, so that it is made last and deleted first.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that is in use.")
    tenant_id: Property[str] = prop(
        "Qlik's id of the tenant: its output `tenant_id`.", change=Change.AT_CREATION, limits=NOT_EMPTY
    )
    ends_on: Property[str] = prop(
        "Last day of a trial: YYYY-MM-DD, and its time zone if not UTC. A trial that has ended is not "
        "brought back.",
        default=None,
        change=Change.NO_REQUEST,
        limits=DAY,
    )


class TenantActivationHandler(TenantLifecycleHandler):
    """As the lifecycle, but that its deletion leaves the tenant as it is."""

    resource_type = TenantActivation

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Leave the state; no request."""


HANDLER = TenantActivationHandler()
