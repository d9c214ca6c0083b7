"""Tenants (https://qlik.dev/apis/rest/tenants; made as in
https://qlik.dev/manage/platform-operations/create-a-tenant).
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
from tenantry.providers.tenants.tenant_list import DEACTIVATED, DELETED, holder_of_alias, hostname_of, listed
from tenantry.providers.values.limits import ALIAS_HOSTNAME, GRACE_DAYS, NOT_EMPTY, REGION

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
        "A tenant that was deactivated behind our back shows as `disabled`, and is reactivated. One that "
        "Qlik does not know any more shows as `gone`; it stays in the state until `tenantry forget`.",
        default="active",
    )
    grace_days: Property[int] = prop(
        "Days until a deactivated tenant is purged, where no `TenantLifecycle` sees to it.",
        default=30,
        change=Change.NO_REQUEST,
        limits=GRACE_DAYS,
    )
    revive: Property[dict[str, str]] = prop(
        "Take back this tenant instead of making one: `{hostname, tenant_id}`, as destroying it printed "
        "them.",
        default=None,
        change=Change.AT_CREATION,
    )
    proof: Property[dict[str, Any]] = prop(
        "The output `proof` of the `TenantProof` under which it is made.",
        default=None,
        change=Change.AT_CREATION,
    )

    templates: Property[dict[str, Any]] = prop(
        "The apps that a program will import into a new tenant, by key, each with the inputs of its `App`. "
        "Their templates are exported while the tenant is being made. Not in the state.",
        default=None,
        change=Change.NOT_KEPT,
    )
    program_run: Property[str] = prop(
        "What tells this run of the program from every other. Not in the state.",
        default=None,
        change=Change.NOT_KEPT,
    )

    tenant_id: Property[str] = output("Qlik's id of the tenant.")
    hostname: Property[str] = output("System hostname; the same as the id of the resource.")
    made_by_run: Property[str] = output(
        "The `program_run` that made the tenant or took it back.", at_qlik=False
    )


class TenantHandler(Handler):
    """Made, deactivated and reactivated at the register host; all else is done on the tenant's own."""

    resource_type = Tenant

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """The tenant to take back is named in full; a new one is made under a proof."""
        revive = want.get("revive")
        if revive is not None and revive.keys() != {"hostname", "tenant_id"}:
            return {"revive": "requires exactly hostname and tenant_id"}
        if not have and revive is None and not want.get("proof"):
            return {"proof": "is required: pass the output `proof` of a TenantProof, or `revive`"}
        return {}

    def remark(self, id: str, have: Properties, given: Properties) -> str:
        """Say that a `revive` pasted too late has no effect."""
        revive = given.get("revive")
        if not isinstance(revive, dict) or revive.get("hostname") in (None, id):
            return ""
        return (
            f"`revive` names {revive['hostname']}, but this stack has tenant {id}: it has no effect. To "
            f"use {revive['hostname']} instead, first delete {id} with `pulumi destroy` or release it with "
            "`tenantry forget`."
        )

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Find the tenant that is to be taken back, or make one; then correct its name and the rest."""
        hostname, tenant_id, new = registration.obtain(cloud, want)
        found: Properties = {"hostname": hostname, "tenant_id": tenant_id}
        if run_of_program := want.get("program_run"):
            found["made_by_run"] = run_of_program
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
        """Raise ResourceError if the customer got another name since the proof.

        The state must have the tenant before it is called so. Else a run that is cut off in between leaves
        a tenant of a name that neither the proof nor, some days later, the file has: it would pass for
        another customer's.
        """
        known = (want.get("proof") or {}).get("name")
        if known and want["name"] not in (known, have["name"]):
            raise ResourceError(
                f'This tenant was requested under the name "{known}". It is now in the state. Run '
                f'`pulumi up` again to rename it to "{want["name"]}".'
            )

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the tenant; one that is deactivated refuses to answer, and keeps its other values."""
        host, path = cloud.tenant(id), f"/api/v1/tenants/{have['tenant_id']}"
        try:
            try:
                found = host.get(path)
            except (NotFound, HostUnknown):
                host.pause(evidence.PAUSE, f"a second check of tenant {id}, for which Qlik answered 404")
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
        """Return the status of a tenant whose host answered 404 twice; raise NotProven if that is
        contradicted.

        Nothing leaves the state because of it, so that is enough where the organisation cannot be asked.
        """
        if cloud.has_organisation:
            region = cloud.tenant(id).region
            tenant = next((each for each in listed(cloud, region).tenants if hostname_of(each) == id), {})
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
        """Reactivate the tenant if need be, then PATCH what differs in one request."""
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
            of_alias = any(problem.pointer == PATCHED["alias"] for problem in refusal.problems)
            if not alias or not (of_alias or isinstance(refusal, Conflict)):
                raise
            # A tenant without a name would be one that nobody knows: name it all the same.
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
        """Raise TenantGone if Qlik still knows no such tenant."""
        try:
            cloud.tenant(id).get(f"/api/v1/tenants/{tenant_id}")
        except TenantDisabled:
            return
        except (NotFound, HostUnknown) as error:
            raise lifetime.gone_error(id, tenant_id, error) from error

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Deactivate the tenant, unless that was done: its `TenantLifecycle` goes first and does it."""
        try:
            cloud.tenant(id).get(f"/api/v1/tenants/{have['tenant_id']}")
        except TenantDisabled:
            pass
        except (NotFound, HostUnknown):
            # The register host's answer proves more; if the tenant lives after all, it is to be taken down
            # anyway.
            if id not in run.current().gone_tenants:
                lifetime.take_down(cloud, id, have["tenant_id"], have["grace_days"])
        else:
            lifetime.take_down(cloud, id, have["tenant_id"], have["grace_days"])
        notes.clear(id)


PATCHED = {
    each.name: "/hostnames/1" if each.name == "alias" else f"/{each.camel}"
    for each in Tenant.inputs()
    if each.name in ("name", "alias") or each.name.startswith(("auto_", "enable_"))
}
"""The properties that PATCH takes, and where."""

HANDLER = TenantHandler()
