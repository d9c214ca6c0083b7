"""The checks against the organisation's list of tenants: taken names, and the number of tenants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenantry.checks.findings import Finding, Level, at
from tenantry.providers.framework.facts import revive_line
from tenantry.providers.lookups.preflight import TENANTS_PER_REGION, Preflight
from tenantry.providers.tenants.tenant_list import DEACTIVATED
from tenantry.settings.models import Settings
from tenantry.settings.models.tenant import Revive
from tenantry.settings.sources import CUSTOMER, Sources

ABOUT = "organisation"
WARNING_SHARE = 0.95

Tenant = dict[str, Any]


def findings(
    settings: Settings, sources: Sources, preflight: Preflight, tenant: str | None, *, has_state: bool
) -> Iterator[Finding]:
    """Yield the findings about names.

    `tenant` is the hostname of the stack's tenant, or None. `has_state` is False if the state could not be
    read, so that the stack may have a tenant nevertheless.
    """
    listed = preflight.tenants(settings.region)
    customer = settings.customer
    revive = customer.revive
    level_if_taken: Level = "error" if has_state else "warning"
    deactivated = [] if tenant or revive else _deactivated(settings, listed)
    own_hostnames = {tenant or (revive.hostname if revive else None)}
    others = [other for other in listed if other["hostnames"][0] not in own_hostnames]

    alias = settings.alias_hostname
    for other in others:
        if alias and alias in [name.lower() for name in other["hostnames"]]:
            text = f"{alias} is taken by {_description(other)}. Choose another alias"
            yield at(sources, (CUSTOMER, "alias"), level_if_taken, ABOUT, text)
    if tenant:
        return
    if revive:
        yield _revived(revive, listed, sources)
    for other in others if not revive else ():
        if other.get("name") == customer.name and other["status"] == "active":
            text = f"{_description(other)} already has this name. Check whether it belongs to this customer"
            yield at(sources, (CUSTOMER, "name"), "warning", ABOUT, text)
    for former in deactivated:
        line = revive_line(former["hostnames"][0], former["id"])
        text = (
            f"{_description(former)} has this name{_deadline(former)}, so `pulumi up` stops once. If this "
            f"customer comes back, add to the stack file: {line}"
        )
        yield at(sources, (CUSTOMER, "name"), "warning", ABOUT, text)


def _deactivated(settings: Settings, listed: list[Tenant]) -> list[Tenant]:
    """Return the deactivated tenants with the customer's name."""
    name = settings.customer.name
    return [tenant for tenant in listed if tenant.get("name") == name and tenant["status"] in DEACTIVATED]


def _revived(revive: Revive, listed: list[Tenant], sources: Sources) -> Finding:
    keys = (CUSTOMER, "revive")
    found = next((tenant for tenant in listed if tenant["hostnames"][0] == revive.hostname), None)
    if found is None or found["status"] == "deleted":
        text = f"the tenant {revive.hostname} no longer exists. Remove `revive` to create a new one"
        return at(sources, keys, "error", ABOUT, text)
    if found["id"] != revive.tenant_id:
        text = f"{revive.hostname} has the id {found['id']}, not {revive.tenant_id}"
        return at(sources, keys, "error", ABOUT, text)
    return Finding("ok", ABOUT, f"`pulumi up` brings back {_description(found)}{_deadline(found)}")


def count(settings: Settings, preflight: Preflight, new: int) -> Finding:
    """Return a finding on the number of the licence's tenants in the region, with `new` more to create.

    Qlik publishes a limit of 8,500.
    """
    listed = preflight.tenants(settings.region)
    source = next((tenant for tenant in listed if settings.source_tenant in tenant["hostnames"]), {})
    licence = source.get("subscriptionId")
    existing = sum(
        tenant.get("subscriptionId") == licence for tenant in listed if tenant["status"] != "deleted"
    )
    text = f"{existing} of at most {TENANTS_PER_REGION} tenants in region {settings.region}"
    text += f", and {new} more to create" if new else ""
    if new and existing + new > TENANTS_PER_REGION:
        room = max(TENANTS_PER_REGION - existing, 0)
        room_text = f"only {room} of them" if room else "no more"
        return Finding("error", ABOUT, f"{text}: {room_text} can be created")
    return Finding("warning" if existing + new >= WARNING_SHARE * TENANTS_PER_REGION else "ok", ABOUT, text)


def _description(tenant: Tenant) -> str:
    return (
        f'{tenant["status"]} tenant {tenant["hostnames"][0]} ("{tenant.get("name", "")}", id {tenant["id"]})'
    )


def _deadline(tenant: Tenant) -> str:
    """Return the day until which a deactivated tenant can be brought back, as text."""
    day = str(tenant.get("deletionStartsAt") or "")[:10]
    return f", and can be brought back until {day}" if day else ""
