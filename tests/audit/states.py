"""Sample states of stacks, and sample tenants of an organisation, in the formats of Pulumi and Qlik."""

from __future__ import annotations

from typing import Any

from tenantry.audit.holdings import APP, PROOF
from tenantry.audit.tenants import ListedTenant
from tenantry.state.entries import TENANT

Json = dict[str, Any]
APP_ID = "0b3f6f0e-9f0c-4d52-9f6b-0d4e6a1c7f11"


def urn(kind: str, name: str, stack: str = "globex") -> str:
    """Return the URN of a resource."""
    return f"urn:pulumi:{stack}::tenantry::{kind}::{name}"


def tenant(label: str, tenant_id: str = "", **fields: Any) -> Json:
    """Return a tenant in a state. `label` is the first part of its hostname."""
    inputs = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": label.title()}
    outputs = {**inputs, "tenant_id": tenant_id or f"id-{label}"}
    return {
        "type": TENANT,
        "urn": urn(TENANT, "tenant"),
        "id": f"{label}.eu.qlikcloud.com",
        "inputs": inputs,
        "outputs": outputs,
        **fields,
    }


def proof(made_at: str = "2026-03-01T10:00:00Z", name: str = "Globex", **fields: Any) -> Json:
    """Return the proof of a tenant in a state."""
    values = {"made_at": made_at, "region": "eu", "name": name}
    return {"type": PROOF, "urn": urn(PROOF, "proof"), "id": "p-1", "outputs": values, **fields}


def app(version: str = "2.3.0", id: str = APP_ID, **fields: Any) -> Json:
    """Return an app in a state."""
    inputs = {"source_tenant": "templates.eu.qlikcloud.com", "template": "Sales", "version": version}
    return {"type": APP, "urn": urn(APP, "Sales"), "id": id, "inputs": inputs, **fields}


def state(*resources: Json, pending: list[Json] | None = None) -> Json:
    """Return a state with these resources and pending operations."""
    return {"deployment": {"resources": list(resources), "pending_operations": pending or []}}


def creating(resource: Json) -> Json:
    """Return the pending operation that creates a resource."""
    return {"type": "creating", "resource": {key: value for key, value in resource.items() if key != "id"}}


def listed(label: str, **fields: Any) -> ListedTenant:
    """Return a tenant in the list of the organisation."""
    defaults = {
        "id": f"id-{label}",
        "name": label.title(),
        "hostnames": [f"{label}.eu.qlikcloud.com"],
        "status": "active",
        "createdAt": "2026-03-01T10:01:00.000Z",
    }
    return ListedTenant.of(defaults | fields)
