"""Tenants (https://qlik.dev/apis/rest/tenants).

Source for the creation: https://qlik.dev/manage/platform-operations/create-a-tenant.
"""

from __future__ import annotations

from typing import Any, Literal

from tenantry.providers.framework import evidence, notes, run
from tenantry.providers.framework.errors import AliasRefused, NotProven, ResourceError, Unfinished
from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.properties import Change, Property, output, prop
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import (
    ApiError,
    Cloud,
    Conflict,
    HostUnknown,
    NotFound,
    QlikError,
    TenantDisabled,
)
from tenantry.providers.tenants import lifetime, registration
from tenantry.providers.tenants.tenant_list import (
    DEACTIVATED,
    DELETED,
    holder_of_alias,
    hostname_of,
    list_tenants,
)
from tenantry.providers.values.limits import ALIAS_HOSTNAME, GRACE_DAYS, NOT_EMPTY, REGION

Switch = Property[bool]


class Tenant(Resource):
    """A tenant for one customer. Its id is its system hostname, which never changes."""

    region: Property[str] = prop("Region of the tenant, such as `eu`.", change=Change.REFUSED, limits=REGION)
    source_tenant: Property[str] = prop(
        "Hostname of the tenant whose licence the new tenant uses.",
        change=Change.AT_CREATION,
        limits=NOT_EMPTY,
    )
    name: Property[str] = prop("Display name.", limits=NOT_EMPTY)
    alias: Property[str] = prop(
        "Second hostname, for users. If it is not set, Tenantry does not change it: Qlik cannot clear an "
        "alias.",
        default=None,
        limits=ALIAS_HOSTNAME,
    )
    datacenter: Property[str] = prop("Data centre within the region.", default=None, change=Change.REFUSED)
    auto_assign_create_shared_spaces_role_to_professionals: Switch = prop(
        "Whether professional users can create shared spaces.", default=None
    )
    auto_assign_private_analytics_content_creator_role_to_professionals: Switch = prop(
        "Whether professional users can create private content.", default=None
    )
    auto_assign_data_services_contributor_role_to_professionals: Switch = prop(
        "Whether professional users can use data services.", default=None
    )
    enable_app_opening_feedback: Switch = prop(
        "Whether Qlik shows the progress while an app opens.", default=None
    )
    status: Property[Literal["active"]] = prop(
        "A tenant that somebody deactivated at Qlik shows as `disabled`, and Tenantry reactivates it. A "
        "tenant that no longer exists at Qlik shows as `gone`. It stays in the state until you run "
        "`tenantry forget`.",
        default="active",
    )
    grace_days: Property[int] = prop(
        "Days until Qlik purges the deactivated tenant, if there is no `TenantLifecycle`.",
        default=30,
        change=Change.NO_REQUEST,
        limits=GRACE_DAYS,
    )
    revive: Property[dict[str, str]] = prop(
        "Reactivate this tenant instead of creating one: `{hostname, tenant_id}`. Copy the values that "
        "`pulumi destroy` printed.",
        default=None,
        change=Change.AT_CREATION,
    )
    proof: Property[dict[str, Any]] = prop(
        "The output `proof` of the `TenantProof` for its creation.",
        default=None,
        change=Change.AT_CREATION,
    )

    templates: Property[dict[str, Any]] = prop(
        "The apps that the program will import into a new tenant, by key, each with the inputs of its `App`. "
        "Tenantry exports their templates while Qlik creates the tenant. The state does not contain this.",
        default=None,
        change=Change.NOT_KEPT,
    )
    program_run: Property[str] = prop(
        "A unique id of this run of the program. The state does not contain it.",
        default=None,
        change=Change.NOT_KEPT,
    )

    tenant_id: Property[str] = output("Qlik's id of the tenant.")
    hostname: Property[str] = output("System hostname, which is also the id of the resource.")
    created_by_run: Property[str] = output(
        "The `program_run` that created or reactivated the tenant.", at_qlik=False
    )


class TenantHandler(Handler):
    """CRUD handler of `Tenant`.

    The register host creates, deactivates and reactivates a tenant. All other requests go to its own host.
    """

    resource_type = Tenant

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Refuse an incomplete `revive`, and a new tenant without a proof."""
        revive = want.get("revive")
        if revive is not None and revive.keys() != {"hostname", "tenant_id"}:
            return {"revive": "requires exactly hostname and tenant_id"}
        if not have and revive is None and not want.get("proof"):
            return {"proof": "is required: pass the output `proof` of a TenantProof, or `revive`"}
        return {}

    def remark(self, id: str, have: Properties, given: Properties) -> str:
        """Return a warning if `revive` has no effect because the stack already has a tenant."""
        revive = given.get("revive")
        if not isinstance(revive, dict) or revive.get("hostname") in (None, id):
            return ""
        return (
            f"`revive` names {revive['hostname']}, but this stack has tenant {id}: it has no effect. To "
            f"use {revive['hostname']} instead, first delete {id} with `pulumi destroy` or release it with "
            "`tenantry forget`."
        )

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Reactivate the tenant in `revive`, or create one. Then set its name and the other properties."""
        hostname, tenant_id, new = registration.obtain(cloud, want)
        found: Properties = {"hostname": hostname, "tenant_id": tenant_id}
        if run_of_program := want.get("program_run"):
            found["created_by_run"] = run_of_program
        have = want | dict.fromkeys(PATCHED) | {"name": hostname.partition(".")[0]} | found
        try:
            if not new:
                have |= self.read(cloud, hostname, have) or {}
                self._refuse_other_name(have, want)
            self._correct(cloud, hostname, have, want)
        except QlikError as error:
            raise Unfinished(hostname, {k: v for k, v in have.items() if v is not None}, error) from error
        return hostname, found

    def _refuse_other_name(self, have: Properties, want: Properties) -> None:
        """Raise ResourceError if the name of the customer has changed since the proof.

        The state must contain the tenant before the tenant gets the new name. Otherwise an interrupted run
        would leave a tenant whose name is in neither the proof nor, later, the file. It would look like the
        tenant of another customer.
        """
        requested = (want.get("proof") or {}).get("name")
        if requested and want["name"] not in (requested, have["name"]):
            raise ResourceError(
                f'This tenant was requested under the name "{requested}". It is now in the state. Run '
                f'`pulumi up` again to rename it to "{want["name"]}".'
            )

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the tenant. A deactivated tenant refuses requests, so its other values stay."""
        host, path = cloud.tenant(id), f"/api/v1/tenants/{have['tenant_id']}"
        try:
            try:
                found = host.get(path)
            except (NotFound, HostUnknown):
                host.pause(
                    evidence.PAUSE_SECONDS, f"a second check of tenant {id}, for which Qlik answered 404"
                )
                found = host.get(path)
        except TenantDisabled:
            return {"status": "disabled"}
        except (NotFound, HostUnknown) as error:
            return {"status": self._status_of_unknown(cloud, id, error)}
        alias = found["hostnames"][1] if len(found["hostnames"]) > 1 else None
        return {name: found.get(self.resource_type.properties[name].camel) for name in PATCHED} | {
            "alias": alias,
            "status": found["status"],
        }

    def _status_of_unknown(self, cloud: Cloud, id: str, error: NotFound | HostUnknown) -> str:
        """Return the status of a tenant whose host answered 404 twice.

        If we cannot read the organisation's list, two 404s are enough, because nothing leaves the state.
        Raises NotProven if the list still contains the tenant.
        """
        if cloud.has_organisation:
            region = cloud.tenant(id).region
            tenant = next(
                (item for item in list_tenants(cloud, region).tenants if hostname_of(item) == id), {}
            )
            if tenant.get("status") in DEACTIVATED:
                return "disabled"
            if tenant and tenant.get("status") != DELETED:
                raise NotProven(id, cloud.tenant(id).hostname, "the organisation's list still has it", error)
        cloud.notify(
            f"Qlik no longer has tenant {id} (404): it was purged, or somebody deleted it. It stays in the "
            "state. To create a new one: 1. run `tenantry forget`, which removes the tenant and everything "
            "in it from the state, 2. run `pulumi up`."
        )
        return "gone"

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Reactivate the tenant if necessary, then PATCH what differs in one request."""
        self._correct(cloud, id, have, want)
        return {}

    def _correct(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> None:
        tenant_id = have["tenant_id"]
        changes = self.changes(have, want)
        if changes.pop("status", None):
            if have.get("status") == "gone":
                self._refuse_gone(cloud, id, tenant_id)
            lifetime.make_sure_active(cloud, id, tenant_id, None)
        alias = changes.pop("alias", None)
        try:
            self._patch(cloud, id, tenant_id, changes | ({"alias": alias} if alias else {}))
        except ApiError as refusal:
            concerns_alias = any(problem.pointer == PATCHED["alias"] for problem in refusal.problems)
            if not alias or not (concerns_alias or isinstance(refusal, Conflict)):
                raise
            # Set the name anyway, because nobody could identify a tenant without one.
            self._patch(cloud, id, tenant_id, changes)
            have |= changes
            holder = holder_of_alias(cloud, cloud.tenant(id).region, alias)
            raise AliasRefused(alias, refusal, holder) from refusal

    def _patch(self, cloud: Cloud, id: str, tenant_id: str, changes: Properties) -> None:
        patch = [
            {"op": "replace", "path": PATCHED[name], "value": value}
            for name, value in changes.items()
            if name in PATCHED
        ]
        if patch:
            cloud.tenant(id).patch(f"/api/v1/tenants/{tenant_id}", patch, repeatable=True)

    def _refuse_gone(self, cloud: Cloud, id: str, tenant_id: str) -> None:
        """Raise TenantGone if Qlik still has no such tenant."""
        try:
            cloud.tenant(id).get(f"/api/v1/tenants/{tenant_id}")
        except TenantDisabled:
            return
        except (NotFound, HostUnknown) as error:
            raise lifetime.gone_error(id, tenant_id, error) from error

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Deactivate the tenant, unless its `TenantLifecycle` has already done so."""
        try:
            cloud.tenant(id).get(f"/api/v1/tenants/{have['tenant_id']}")
        except TenantDisabled:
            pass
        except (NotFound, HostUnknown):
            # The response of the register host proves more. If the tenant still exists, deactivate it anyway.
            if id not in run.current().gone_tenants:
                lifetime.take_down(cloud, id, have["tenant_id"], have["grace_days"])
        else:
            lifetime.take_down(cloud, id, have["tenant_id"], have["grace_days"])
        notes.clear(id)


PATCHED = {
    prop.name: "/hostnames/1" if prop.name == "alias" else f"/{prop.camel}"
    for prop in Tenant.inputs()
    if prop.name in ("name", "alias") or prop.name.startswith(("auto_", "enable_"))
}
"""The properties that PATCH can change, with their JSON pointers."""

HANDLER = TenantHandler()
