"""The organisation's list of all tenants (https://qlik.dev/apis/org-rest)."""

from __future__ import annotations

from typing import Any, NamedTuple

from tenantry.providers.framework.facts import revive_line
from tenantry.providers.qlik import Cloud, QlikError

DEACTIVATED = ("disabled", "deactivated")
DELETED = "deleted"

Tenant = dict[str, Any]


class TenantList(NamedTuple):
    """The tenants of a region, newest first.

    `read_at` is the time of the response by Qlik's clock, in seconds since 1970. None if it had no date.
    """

    tenants: list[Tenant]
    read_at: float | None


def list_tenants(cloud: Cloud, region: str) -> TenantList:
    """Return the tenants of a region. Requires the organisation's client."""
    organisation = cloud.organisation()
    found: list[Tenant] = []
    read_at = None
    for number, tenant in enumerate(organisation.list("/api/core/tenants", {"sort": "-createdAt"})):
        if number == 0:
            read_at = organisation.time  # of the first page, because later tenants may be missing
        if hostname_of(tenant).endswith(f".{region}.qlikcloud.com"):
            found.append(tenant)
    return TenantList(found, organisation.time if read_at is None else read_at)


def hostname_of(tenant: Tenant) -> str:
    """Return the system hostname of a listed tenant, or an empty string."""
    hostnames = tenant.get("hostnames")
    return str(hostnames[0]) if isinstance(hostnames, list) and hostnames else ""


def is_unnamed(tenant: Tenant) -> bool:
    """Tell whether a tenant still has its initial name, the label of its hostname."""
    return tenant.get("name", "") in ("", None, hostname_of(tenant).partition(".")[0])


def is_listed(cloud: Cloud, hostname: str) -> bool | None:
    """Tell whether the organisation lists a tenant that is not deleted.

    Returns None if there is no organisation client.
    """
    if not cloud.has_organisation:
        return None
    region = cloud.tenant(hostname).region
    return any(
        hostname_of(tenant) == hostname and tenant.get("status") != DELETED
        for tenant in list_tenants(cloud, region).tenants
    )


def holder_of_alias(cloud: Cloud, region: str, alias: str) -> str:
    """Return the tenant that has an alias, for a message. Empty if unknown."""
    if not cloud.has_organisation:
        return ""
    try:
        tenants = list_tenants(cloud, region).tenants
    except QlikError:
        return ""
    existing = (tenant for tenant in tenants if tenant.get("status") != DELETED)
    holders = (tenant for tenant in existing if alias in tenant.get("hostnames", []))
    return next(
        (f"{hostname_of(holder)} (id {holder['id']}, {holder.get('status')})" for holder in holders), ""
    )


def describe(tenant: Tenant) -> str:
    """Describe a tenant in a message, after the line for the stack file that brings it back."""
    name = "without a name" if is_unnamed(tenant) else f'named "{tenant["name"]}"'
    return (
        f"\n  {revive_line(hostname_of(tenant), tenant['id'])}"
        f"  # {tenant.get('status')}, {name}, created {tenant.get('createdAt')}"
    )
