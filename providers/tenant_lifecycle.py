"""The deactivation of a tenant (https://qlik.dev/manage/tenants/delete-tenants)."""

from __future__ import annotations

from typing import ClassVar, Literal

from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud
from tenantry.providers.tenants import entitlements, lifetime
from tenantry.providers.values.limits import DAY, GRACE_DAYS, NOT_EMPTY


class TenantLifecycle(Resource):
    """A resource whose deletion deactivates the tenant.

    Let it depend on everything else in the tenant, so that it is deleted first. Then a destroy sends one
    request, and the other resources leave the state without a request. If that request fails, or the
    lifecycle is protected, nothing leaves the state.
    """

    tenant: Property[str] = reference("Tenant", "The tenant to deactivate.")
    kind: Property[Literal["production", "trial"]] = prop(
        "Production customer or trial.", default="production", change=Change.NO_REQUEST
    )
    ends_on: Property[str] = prop(
        "Last day of a trial: YYYY-MM-DD, and its time zone if not UTC.",
        default=None,
        change=Change.NO_REQUEST,
        limits=DAY,
    )
    grace_days: Property[int] = prop(
        "Days from the deactivation until Qlik purges the tenant. Until then you can reactivate it.",
        default=30,
        change=Change.NO_REQUEST,
        limits=GRACE_DAYS,
    )

    release_entitlements: Property[bool] = prop(
        "Whether to release the entitlements of the tenant's users before its deactivation. Tenantry "
        "releases only those of subjects that are certainly not users of another tenant of the licence.",
        default=None,
        change=Change.NO_REQUEST,
    )

    tenant_id: Property[str] = prop(
        "Qlik's id of the tenant: its output `tenant_id`.", change=Change.AT_CREATION, limits=NOT_EMPTY
    )


class TenantLifecycleHandler(Handler):
    """CRUD handler of `TenantLifecycle`.

    Only creation and deletion send requests. The state keeps the properties for the deletion.
    """

    resource_type: ClassVar[type[Resource]] = TenantLifecycle
    is_object = False
    natural_key = ("tenant",)

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Make sure that the tenant is active, because an earlier lifecycle may have deactivated it."""
        lifetime.make_sure_active(cloud, want["tenant"], want["tenant_id"], want.get("ends_on"))
        return want["tenant"], {}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Return no differences, because Qlik does not store them. `Tenant` reads if the tenant is active."""
        return {}

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Keep the new values. Send no request."""
        return {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Release the entitlements of the users if configured, then deactivate the tenant.

        The order matters, because a deactivated tenant refuses requests.
        """
        if have.get("release_entitlements"):
            entitlements.release(cloud, have["tenant"], have["tenant_id"])
        lifetime.take_down(cloud, have["tenant"], have["tenant_id"], have["grace_days"])


HANDLER = TenantLifecycleHandler()
