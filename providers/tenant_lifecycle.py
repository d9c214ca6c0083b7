"""The end of a tenant, and what leads to it (https://qlik.dev/manage/tenants/delete-tenants)."""

from __future__ import annotations

from typing import Literal

from providers import registration, run
from providers.intents import Intent, settle
from providers.limits import DAY, GRACE_DAYS
from providers.properties import Change, Property, output, prop, reference
from providers.qlik import Cloud, TenantDisabled
from providers.resource import Resource
from providers.verbs import Properties, Verbs


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
        "Last day of a trial, as YYYY-MM-DD.",
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

    tenant_id: Property[str] = output("Qlik's id of the tenant.")


class TenantLifecycleVerbs(Verbs):
    """Only making and deleting it concern Qlik; its properties are kept for that day."""

    kind = TenantLifecycle
    natural_key = ("tenant",)

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Make sure that the tenant is active: an earlier lifecycle may just have deactivated it."""
        hostname, note = want["tenant"], Intent("deactivation")
        tenant_id = run.current().active_tenants.get(hostname)
        try:
            tenant_id = tenant_id or cloud.tenant(hostname).get("/api/v1/tenants/me")["id"]
        except TenantDisabled:
            if (note.earlier or {}).get("hostname") != hostname:
                raise
            tenant_id = (note.earlier or {})["tenant_id"]
            registration.reactivate(cloud, hostname, tenant_id)
        note.clear()
        # Made after the tenant, so the state has that by now: from here on a new one means a new one.
        settle("tenant", hostname=hostname)
        return hostname, {"tenant_id": tenant_id}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Nothing of it is at Qlik; whether the tenant is active is the tenant's to say."""
        return {}

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Keep the new values; no request."""
        return {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Deactivate the tenant and say how to bring it back."""
        hostname, tenant_id = have["tenant"], have["tenant_id"]
        Intent("deactivation").note(hostname=hostname, tenant_id=tenant_id)
        registration.take_down(cloud, hostname, tenant_id, have["grace_days"])


VERBS = TenantLifecycleVerbs()
