"""Tenants (https://qlik.dev/apis/rest/tenants; made as in
https://qlik.dev/manage/platform-operations/create-a-tenant).
"""

from __future__ import annotations

from typing import Literal

from providers import registration
from providers.errors import AliasRefused, Unfinished
from providers.intents import Intent
from providers.limits import ALIAS_HOSTNAME, GRACE_DAYS, NOT_EMPTY, REGION
from providers.properties import Change, Property, output, prop
from providers.qlik import ApiError, Cloud, NotFound, QlikError, TenantDisabled
from providers.resource import Resource
from providers.verbs import Properties, Verbs

Switch = Property[bool]


class Tenant(Resource):
    """A tenant of its own for one customer. Its id is its system hostname, which never changes."""

    region: Property[str] = prop("Region of the tenant, such as `eu`.", change=Change.REFUSED, limits=REGION)
    source_tenant: Property[str] = prop(
        "Hostname of the tenant whose licence the new one is made under.",
        change=Change.AT_CREATION,
        limits=NOT_EMPTY,
    )
    name: Property[str] = prop("Display name.", limits=NOT_EMPTY)
    alias: Property[str] = prop(
        "Second hostname, for people. Unset: left alone, since Qlik offers no way to clear it.",
        default=None,
        limits=ALIAS_HOSTNAME,
    )
    datacenter: Property[str] = prop("Data centre within the region.", default=None, change=Change.REFUSED)
    auto_assign_create_shared_spaces_role_to_professionals: Switch = prop(
        "Whether professional users may create shared spaces.", default=None
    )
    auto_assign_private_analytics_content_creator_role_to_professionals: Switch = prop(
        "Whether professional users may create private content.", default=None
    )
    auto_assign_data_services_contributor_role_to_professionals: Switch = prop(
        "Whether professional users may use data services.", default=None
    )
    enable_app_opening_feedback: Switch = prop("Whether opening an app shows its progress.", default=None)
    status: Property[Literal["active"]] = prop(
        "A tenant that was deactivated behind our back is a difference, and is reactivated.", default="active"
    )
    grace_days: Property[int] = prop(
        "Days until a deactivated tenant is purged, where no `TenantLifecycle` sees to it.",
        default=30,
        change=Change.NO_REQUEST,
        limits=GRACE_DAYS,
    )
    revive: Property[dict[str, str] | Literal["new"]] = prop(
        "Take back this tenant instead of making one: `{hostname, tenant_id}`, as destroying it printed "
        "them. `new` makes a new one, whatever an earlier run may have left.",
        default=None,
        change=Change.AT_CREATION,
    )

    tenant_id: Property[str] = output("Qlik's id of the tenant.")
    hostname: Property[str] = output("System hostname; the same as the id of the resource.")


class TenantVerbs(Verbs):
    """Made, deactivated and reactivated at the register host; all else is done on the tenant's own."""

    kind = Tenant

    def refuse(self, have: Properties, want: Properties) -> dict[str, str]:
        """The tenant to take back is named in full."""
        revive = want.get("revive")
        if isinstance(revive, dict) and revive.keys() != {"hostname", "tenant_id"}:
            return {"revive": "takes hostname and tenant_id, both, and nothing else"}
        return {}

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Find the tenant that is to be taken back, or make one; then correct its name and the rest."""
        hostname, tenant_id, new = registration.obtain(cloud, want)
        found: Properties = {"hostname": hostname, "tenant_id": tenant_id}
        have = want | dict.fromkeys(PATCHED) | {"name": hostname.partition(".")[0]} | found
        try:
            if not new:
                have |= self.read(cloud, hostname, have) or {}
            self.update(cloud, hostname, have, want)
        except QlikError as error:
            raise Unfinished(hostname, {k: v for k, v in have.items() if v is not None}, error) from error
        return hostname, found

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the tenant; one that is deactivated refuses to answer, and keeps its other values."""
        try:
            found = cloud.tenant(id).get(f"/api/v1/tenants/{have['tenant_id']}")
        except TenantDisabled:
            return {"status": "disabled"}
        except NotFound:
            return None
        alias = found["hostnames"][1] if len(found["hostnames"]) > 1 else None
        return {name: found.get(self.kind.properties[name].camel) for name in PATCHED} | {
            "alias": alias,
            "status": found["status"],
        }

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Reactivate the tenant if need be, then PATCH what differs in one request."""
        tenant_id = have["tenant_id"]
        changes = self.changes(have, want)
        if changes.pop("status", None):
            registration.reactivate(cloud, id, tenant_id)
        patch = [
            {"op": "replace", "path": PATCHED[name], "value": value}
            for name, value in changes.items()
            if name in PATCHED
        ]
        try:
            if patch:
                cloud.tenant(id).patch(f"/api/v1/tenants/{tenant_id}", patch, repeatable=True)
        except ApiError as refusal:
            if PATCHED["alias"] in str(refusal):
                raise AliasRefused(want["alias"], refusal) from refusal
            raise
        return {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Deactivate the tenant, unless that was done: its `TenantLifecycle` goes first and does it."""
        try:
            cloud.tenant(id).get(f"/api/v1/tenants/{have['tenant_id']}")
        except (TenantDisabled, NotFound):
            pass
        else:
            registration.take_down(cloud, id, have["tenant_id"], have["grace_days"])
        Intent("tenant").clear()


PATCHED = {
    each.name: "/hostnames/1" if each.name == "alias" else f"/{each.camel}"
    for each in Tenant.inputs()
    if each.name in ("name", "alias") or each.name.startswith(("auto_", "enable_"))
}
"""The properties that PATCH takes, and where."""

VERBS = TenantVerbs()
