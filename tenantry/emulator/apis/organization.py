"""The organisation's list of tenants, on console.qlikcloud.com."""

from __future__ import annotations

from typing import Any

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.hosts import DATACENTERS
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import SHARED, Doc

FILTERABLE = {
    "subscriptionId": "eq",
    "regionCode": "eq ne",
    "countryCode": "",
    "name": "eq",
    "hostnames": "eq",
    "createdAt": "",
    "updatedAt": "",
    "id": "eq",
    "status": "eq ne",
    "originalId": "eq",
}

SORTABLE = {
    "name": "name",
    "regionCode": "datacenter",
    "countryCode": "_region",
    "hostnames": "hostnames",
    "createdAt": "created",
    "updatedAt": "lastUpdated",
    "status": "status",
    "subscriptionId": "_licence",
}
"""Name to sort by -> the tenant's key with the value."""

LINK_BASE = "https://api.qlikcloud.com/api/core/tenants"
"""The address in `links`. In the published responses it is on another host than the request."""


@operation("organization", "listTenants")
def listing(call: Call) -> Reply:
    """List the subscription's tenants in all regions. Only the first sort field counts."""
    return _page(call, call.query.get("filter"))


@operation("organization", "filterTenants")
def filtered(call: Call) -> Reply:
    """List tenants, with the filter in the body."""
    return _page(call, (call.body or {}).get("filter"))


@operation("organization", "countTenants")
def count(call: Call) -> Reply:
    """Return the number of tenants that match."""
    return Reply(200, {"total": len(_matching(call, call.query["filter"]))})


@operation("organization", "getOrganizationTenant")
def get(call: Call) -> Reply:
    """Return a tenant, as a list with one entry."""
    tenant = call.store.get(SHARED, "tenant", call.path["tenantId"])
    if tenant is None or tenant["_licence"] not in _licences(call) or not _is_listed(call, tenant):
        raise Refusal(404)
    return Reply(200, {"data": [view(tenant)], "links": {"self": {"href": f"{LINK_BASE}/{tenant['id']}"}}})


def _page(call: Call, text: str | None) -> Reply:
    sort = str(call.query.get("sort", "")).split(",")[0].strip().lstrip("+-")
    if sort and sort not in SORTABLE:
        raise Refusal(400, detail=f"sort by one of {', '.join(SORTABLE)}", source={"parameter": "sort"})
    tenants = _matching(call, text)
    data, links = page(call, tenants, default=20, key=_sort_value, base=LINK_BASE)
    body: Doc = {"data": [view(tenant) for tenant in data], "links": links}
    if call.query.get("totalResults") == "true":
        body["totalResults"] = len(tenants)
    return Reply(200, body)


def _sort_value(tenant: Doc, name: str) -> str:
    return str(tenant[SORTABLE[name]]).casefold()


def _licences(call: Call) -> list[str]:
    client = call.store.get(SHARED, "client", call.client) or {}
    return list(client.get("licences", []))


def _is_listed(call: Call, tenant: Doc) -> bool:
    """Return whether the organisation lists a tenant yet. It always lists the tenants of the seed."""
    lag = call.world.settings.organisation_lag_ms / 1000
    return bool(tenant.get("_created_at", 0.0) + lag <= call.world.now())


def _matching(call: Call, text: str | None) -> list[Doc]:
    licences = _licences(call)
    tenants = [
        tenant
        for tenant in call.store.all(SHARED, "tenant")
        if tenant["_licence"] in licences and _is_listed(call, tenant)
    ]
    if text is None:
        return tenants
    matches = compile_filter(text, FILTERABLE)
    if "subscriptionid" not in text.casefold():
        raise Refusal(400, detail="a filter must name subscriptionId", source={"parameter": "filter"})
    return [tenant for tenant in tenants if matches(view(tenant))]


def view(tenant: Doc) -> dict[str, Any]:
    """Return a tenant as the organisation API shows it."""
    code, country = DATACENTERS[tenant["_region"]]
    result = {
        "id": tenant["id"],
        "name": tenant["name"],
        "hostnames": tenant["hostnames"],
        "regionCode": code,
        "countryCode": country,
        "subscriptionId": tenant["_licence"],
        "licenseNumber": tenant["_licence"],
        "status": tenant["status"],
        "createdAt": tenant["created"],
        "createdBy": tenant.get("_created_by", ""),
        "updatedAt": tenant["lastUpdated"],
        "links": {"self": {"href": f"{LINK_BASE}/{tenant['id']}"}},
    }
    if "_purge_at" in tenant:
        result["deletionStartsAt"] = iso(tenant["_purge_at"])
    return result
