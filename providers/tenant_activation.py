"""A marker in the state that a tenant is in use. It shows the next run that a destroy was interrupted.

A destroy first removes the marker from the state, and then deactivates the tenant. So after an interrupted
destroy the state has a tenant and no marker. The next `pulumi up` creates the marker, which reactivates the
tenant. Without a marker, `up` would have nothing to do, and Qlik would purge the tenant.
"""

from __future__ import annotations

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud
from tenantry.providers.tenant_lifecycle import TenantLifecycleHandler
from tenantry.providers.values.limits import DAY, NOT_EMPTY


class TenantActivation(Resource):
    """A resource whose creation makes sure that the tenant is active. Its deletion sends no request.

    Let it depend on the `TenantLifecycle`, so that it is created last and deleted first.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that is in use.")
    tenant_id: Property[str] = prop(
        "Qlik's id of the tenant: its output `tenant_id`.", change=Change.AT_CREATION, limits=NOT_EMPTY
    )
    ends_on: Property[str] = prop(
        "Last day of a trial: YYYY-MM-DD, and its time zone if not UTC. Tenantry does not reactivate a "
        "trial that has ended.",
        default=None,
        change=Change.NO_REQUEST,
        limits=DAY,
    )


class TenantActivationHandler(TenantLifecycleHandler):
    """CRUD handler of `TenantActivation`. Unlike a lifecycle, its deletion does not change the tenant."""

    resource_type = TenantActivation

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Send no request."""


HANDLER = TenantActivationHandler()
