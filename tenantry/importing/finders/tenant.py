"""The tenant and its lifecycle."""

from __future__ import annotations

import secrets
from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers.tenant import PATCHED, Tenant


def find(reader: TenantReader, findings: Findings) -> None:
    """Import name, alias and switches. `production` or `trial` comes from the plan: Qlik does not store it.

    An imported tenant is protected until the file says otherwise, even if the plan says otherwise.
    """
    tenant, customer = reader.tenant, findings.customer
    alias = tenant["hostnames"][1] if len(tenant["hostnames"]) > 1 else None
    live = {name: tenant.get(Tenant.properties[name].camel) for name in PATCHED}
    live |= {"alias": alias, "status": tenant.get("status", "active")}
    ids = {"tenant_id": tenant["id"], "hostname": reader.hostname}
    customer |= {"name": tenant["name"], "alias": alias.partition(".")[0] if alias else None, "protect": True}
    customer["tenant"] = {name: live[name] for name in PATCHED if name not in ("name", "alias")}
    planned: dict[str, Any] = findings.plan.get("tenant") or {}
    if planned.get("datacenter"):
        customer["tenant"]["datacenter"] = tenant.get("datacenter")
    of_plan: dict[str, Any] = findings.plan.get("lifecycle") or {}
    if of_plan.get("kind") == "trial" and not of_plan.get("ends_on"):
        customer["lifecycle"] = {"kind": "production"}
        findings.add_unmanaged(
            "the end of the trial", "the plan is for trials, but Qlik does not store a last day"
        )
    # There was no request for this tenant. The state gets a proof as for any other tenant, but an unused one.
    proof = secrets.token_hex(16)
    known = {"id": proof, "name": tenant["name"], "unused": True}
    findings.objects.append(Found("TenantProof", proof, {"proof": known}))
    findings.objects.append(Found("Tenant", reader.hostname, live | ids))
    findings.objects += [
        Found(kind, reader.hostname, {"tenant_id": tenant["id"]})
        for kind in ("TenantLifecycle", "TenantActivation")
    ]
