"""The end of a tenant, and what leads to it (https://qlik.dev/manage/tenants/delete-tenants)."""

from __future__ import annotations

from typing import ClassVar, Literal

from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud
from tenantry.providers.tenants import entitlements, lifetime
from tenantry.providers.values.limits import DAY, GRACE_DAYS, NOT_EMPTY


class TenantLifecycle(Resource):
    """Deactivates the tenant when it is deleted.

    Let it depend on all else in the tenant, so that it is deleted first. Then a destroy is one request, after
    which the rest leaves the state without one; and where that request fails, or the lifecycle is protected,
    nothing has left the state.
    """

    tenant: Property[str] = reference("Tenant", "The tenant whose life it is.")
    kind: Property[Literal["production", "trial"]] = prop(
        "Whether it is a paying customer or a trial.", default="production", change=Change.NO_REQUEST
    )
    ends_on: Property[str] = prop(
        "Last day of a trial: YYYY-MM-DD, and its time zone if not UTC.",
        default=None,
        change=Change.NO_REQUEST,
        limits=DAY,
    )
    grace_days: Property[int] = prop(
        "Days from the deactivation until Qlik purges the tenant; until then it can be brought back.",
        default=30,
        change=Change.NO_REQUEST,
        limits=GRACE_DAYS,
    )

    release_entitlements: Property[bool] = prop(
        "Whether entitlements of the tenant's users are released before it is deactivated: those of subjects "
        "that provably no other tenant of the licence has as users.",
        default=None,
        change=Change.NO_REQUEST,
    )

    tenant_id: Property[str] = prop(
        "Qlik's id of the tenant: its output `tenant_id`.", change=Change.AT_CREATION, limits=NOT_EMPTY
    )


class TenantLifecycleHandler(Handler):
    """Only making and deleting it concern Qlik; its properties are kept for that day."""

    resource_type: ClassVar[type[Resource]] = TenantLifecycle
    is_object = False
    natural_key = ("tenant",)

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Make sure that the tenant is active: an earlier lifecycle may just have deactivated it."""
        lifetime.make_sure_active(cloud, want["tenant"], want["tenant_id"], want.get("ends_on"))
        return want["tenant"], {}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Nothing of it is at Qlik; whether the tenant is active is the tenant's to say."""
        return {}

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Keep the new values; no request."""
        return {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Release the entitlements of its users if asked to, deactivate it, and say how to bring it back.

        In that order: a deactivated tenant answers nothing.
        """
        if have.get("release_entitlements"):
            entitlements.release(cloud, have["tenant"], have["tenant_id"])
        lifetime.take_down(cloud, have["tenant"], have["tenant_id"], have["grace_days"])


HANDLER = TenantLifecycleHandler()
