"""What the organisation's list of tenants tells of a stack: which names are taken, and how many there are."""

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
NEARLY_ALL = 0.95

Tenant = dict[str, Any]


def findings(
    settings: Settings, sources: Sources, preflight: Preflight, tenant: str | None, *, sure: bool
) -> Iterator[Finding]:
    """Yield what is to be said. `tenant` is the hostname of the stack's own tenant; `sure` tells whether None
    means that it has none.
    """
    listed = preflight.tenants(settings.region)
    customer = settings.customer
    revive = customer.revive
    taken: Level = "error" if sure else "warning"
    asleep = [] if tenant or revive else _deactivated(settings, listed)
    own = {tenant or (revive.hostname if revive else None)}
    others = [each for each in listed if each["hostnames"][0] not in own]

    alias = settings.alias_hostname
    for each in others:
        if alias and alias in [name.lower() for name in each["hostnames"]]:
            text = f"{alias} is taken by {_named(each)}; give another alias"
            yield at(sources, (CUSTOMER, "alias"), taken, ABOUT, text)
    if tenant:
        return
    if revive:
        yield _revived(revive, listed, sources)
    for each in others if not revive else ():
        if each.get("name") == customer.name and each["status"] == "active":
            text = f"{_named(each)} has this name already; is it this customer's?"
            yield at(sources, (CUSTOMER, "name"), "warning", ABOUT, text)
    for each in asleep:
        line = revive_line(each["hostnames"][0], each["id"])
        text = (
            f"{_named(each)} has this name{_deadline(each)}; `pulumi up` stops once because of it. If it "
            f"is this customer who comes back: {line}"
        )
        yield at(sources, (CUSTOMER, "name"), "warning", ABOUT, text)


def _deactivated(settings: Settings, listed: list[Tenant]) -> list[Tenant]:
    """Return the deactivated tenants of the customer's name."""
    name = settings.customer.name
    return [each for each in listed if each.get("name") == name and each["status"] in DEACTIVATED]


def _revived(revive: Revive, listed: list[Tenant], sources: Sources) -> Finding:
    keys = (CUSTOMER, "revive")
    found = next((each for each in listed if each["hostnames"][0] == revive.hostname), None)
    if found is None or found["status"] == "deleted":
        text = f"there is no tenant {revive.hostname} any more; take `revive` out to have a new one made"
        return at(sources, keys, "error", ABOUT, text)
    if found["id"] != revive.tenant_id:
        text = f"{revive.hostname} has the id {found['id']}, not {revive.tenant_id}"
        return at(sources, keys, "error", ABOUT, text)
    return Finding("ok", ABOUT, f"`pulumi up` takes up {_named(found)}{_deadline(found)}")


def count(settings: Settings, preflight: Preflight, new: int) -> Finding:
    """Say how many tenants the licence has in the region, with `new` that are about to be made: Qlik
    publishes a limit of 8,500.
    """
    listed = preflight.tenants(settings.region)
    source = next((each for each in listed if settings.source_tenant in each["hostnames"]), {})
    licence = source.get("subscriptionId")
    made = sum(each.get("subscriptionId") == licence for each in listed if each["status"] != "deleted")
    text = f"{made} of at most {TENANTS_PER_REGION} tenants in region {settings.region}"
    text += f", and {new} about to be made" if new else ""
    if new and made + new > TENANTS_PER_REGION:
        room = max(TENANTS_PER_REGION - made, 0)
        fit = f"only {room} of them" if room else "no other"
        return Finding("error", ABOUT, f"{text}: {fit} can be made")
    return Finding("warning" if made + new >= NEARLY_ALL * TENANTS_PER_REGION else "ok", ABOUT, text)


def _named(tenant: Tenant) -> str:
    return (
        f'{tenant["status"]} tenant {tenant["hostnames"][0]} ("{tenant.get("name", "")}", id {tenant["id"]})'
    )


def _deadline(tenant: Tenant) -> str:
    """Say until when a deactivated tenant can be brought back."""
    day = str(tenant.get("deletionStartsAt") or "")[:10]
    return f", which is possible until {day}" if day else ""
