"""Tenants. The register host creates, deactivates and reactivates them. A tenant's own host renames it."""

from __future__ import annotations

import re
from typing import Any

from tenantry.emulator.apis.users import bot_of
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import DAY, iso
from tenantry.emulator.errors import Refusal, rejected_patch
from tenantry.emulator.hosts import DATACENTERS, DOMAIN
from tenantry.emulator.store import SHARED, Doc, public
from tenantry.emulator.world import World, new_label, new_tenant_id

LIMIT = 8_500
"""Tenants per region and licence."""

FLAGS = {
    "/autoAssignCreateSharedSpacesRoleToProfessionals": True,
    "/autoAssignPrivateAnalyticsContentCreatorRoleToProfessionals": True,
    "/autoAssignDataServicesContributorRoleToProfessionals": True,
    "/enableAnalyticCreation": False,
    "/enableAppOpeningFeedback": False,
}
"""Patch path -> value on a new tenant."""

RESERVED = ("register", "console")


def add_tenant(world: World, *, region: str, licence: Doc, label: str = "", **fields: Any) -> Doc:
    """Create a tenant.

    Args:
        label: the first part of its hostname. By default, a generated one.
        fields: further fields.
    """
    label = label or new_label()
    now = iso(world.now())
    hostname = f"{label}.{region}.{DOMAIN}"
    tenant: Doc = {
        "id": new_tenant_id(),
        "name": label,
        "hostnames": [hostname],
        "datacenter": DATACENTERS[region][0],
        "created": now,
        "lastUpdated": now,
        "createdByUser": "",
        "status": "active",
        **{path[1:]: value for path, value in FLAGS.items()},
        "_region": region,
        "_licence": licence["id"],
        **fields,
    }
    world.store.put(SHARED, "hostname", {"id": hostname, "tenant": tenant["id"]})
    return world.store.put(SHARED, "tenant", tenant)


@operation("tenants", "createTenant")
def create(call: Call) -> Reply:
    """Create a tenant from a licence key."""
    licence = _licence(call)
    region = call.host.region
    datacenter = (call.body or {}).get("datacenter", DATACENTERS[region][0])
    if datacenter != DATACENTERS[region][0]:
        raise Refusal(400, detail=f"the datacenter of this region is {DATACENTERS[region][0]}")
    _check_quota(call, licence, region)
    origin: Doc = {"_created_by": _creator(call, licence), "_created": True, "_created_at": call.world.now()}
    tenant = add_tenant(call.world, region=region, licence=licence, **origin)
    return Reply(201, view(call, tenant))


@operation("tenants", "getApiV1TenantsMe")
def me(call: Call) -> Reply:
    """Redirect to the tenant of the host."""
    location = f"/api/v1/tenants/{call.tenant_id}"
    return Reply(302, headers={"location": location}, text=f'<a href="{location}">Found</a>.\n\n')


@operation("tenants", "getTenantById")
def get(call: Call) -> Reply:
    """Read the tenant of the host. Return 404 for any other tenant."""
    return Reply(200, view(call, _find_own(call)))


@operation("tenants", "updateTenantById")
def patch(call: Call) -> Reply:
    """Change the name, the alias or a flag. If one change is refused, no change is applied."""
    tenant = _find_own(call)
    old_hostnames = tenant["hostnames"]
    for change in call.body:
        _apply(call, tenant, change["path"], change["value"])
    for hostname in old_hostnames[1:]:
        call.store.delete(SHARED, "hostname", hostname)
    for hostname in tenant["hostnames"][1:]:
        call.store.put(SHARED, "hostname", {"id": hostname, "tenant": tenant["id"]})
    tenant["lastUpdated"] = iso(call.world.now())
    call.store.put(SHARED, "tenant", tenant)
    return Reply(204)


@operation("tenants", "deactivateTenantById")
def deactivate(call: Call) -> Reply:
    """Deactivate a tenant until its purge date. A repeated call restarts the countdown."""
    tenant = _find_confirmed(call)
    days = (call.body or {}).get("purgeAfterDays", 30)
    purge_at = call.world.now() + days * DAY
    _set_status(call, tenant | {"_purge_at": purge_at}, "disabled")
    return Reply(200, {"id": tenant["id"], "status": "disabled", "estimatedPurgeDate": iso(purge_at)})


@operation("tenants", "reactivateTenantById")
def reactivate(call: Call) -> Reply:
    """Reactivate a tenant. On an active tenant this changes nothing."""
    tenant = _find_confirmed(call)
    tenant.pop("_purge_at", None)
    _set_status(call, tenant, "active")
    return Reply(200, {"id": tenant["id"], "status": "active"})


def view(call: Call, tenant: Doc) -> Doc:
    """Return a tenant as the API shows it."""
    return public(tenant) | {"links": {"self": call.link(f"/api/v1/tenants/{tenant['id']}")}}


def _set_status(call: Call, tenant: Doc, status: str) -> None:
    now = iso(call.world.now())
    call.store.put(
        SHARED, "tenant", tenant | {"status": status, "lastUpdated": now, "statusLastUpdatedAt": now}
    )
    call.world.update_next_purge()


def _find_own(call: Call) -> Doc:
    if call.path["tenantId"] != call.tenant_id:
        raise Refusal(404)
    return dict(call.tenant)


def _find_confirmed(call: Call) -> Doc:
    """Return the tenant in the path. Refuse unless the confirmation header has one of its hostnames."""
    tenant = call.store.get(SHARED, "tenant", call.path["tenantId"])
    client = call.store.get(SHARED, "client", call.client) or {}
    if tenant is None or tenant["_region"] != call.host.region or tenant["_licence"] != client.get("licence"):
        raise Refusal(404)
    if call.headers.get("qlik-confirm-hostname", "").lower() not in tenant["hostnames"]:
        raise Refusal(412, detail="the header qlik-confirm-hostname must be a hostname of this tenant")
    return tenant


def _licence(call: Call) -> Doc:
    key = (call.body or {}).get("licenseKey")
    if not key:
        raise Refusal(400, "Missing licenseKey property", code="TENANTS-21")
    client = call.store.get(SHARED, "client", call.client) or {}
    licence = call.store.get(SHARED, "licence", client.get("licence", ""))
    if licence is None or licence["licenseKey"] != key:
        raise Refusal(403, "Invalid license error", code="TENANTS-23")
    return licence


def _check_quota(call: Call, licence: Doc, region: str) -> None:
    """Check the quotas. A deactivated tenant counts until its purge (unpublished, but safe for clients)."""
    tenants = [t for t in call.store.all(SHARED, "tenant") if t["_licence"] == licence["id"]]
    quota = call.world.settings.tenant_quota
    created = sum(1 for tenant in tenants if tenant.get("_created"))
    if (quota is not None and created >= quota) or sum(1 for t in tenants if t["_region"] == region) >= LIMIT:
        raise Refusal(403, "License quota limit reached", code="TENANTS-22")


def _creator(call: Call, licence: Doc) -> str:
    """Return `createdBy` of the organisation API: the client's user on the source tenant (unpublished)."""
    source = call.world.tenant_of(licence["source"])
    client = call.store.get(SHARED, "client", call.client)
    return str(bot_of(call.world, source, client, call.host.region)["id"]) if source and client else ""


def _apply(call: Call, tenant: Doc, path: str, value: Any) -> None:
    if path in FLAGS:
        if not isinstance(value, bool):
            raise rejected_patch(path, "value must be a boolean")
        tenant[path[1:]] = value
    elif not isinstance(value, str) or not value:
        raise rejected_patch(path, "value must be a non-empty string")
    elif path == "/name":
        tenant["name"] = value
    else:
        tenant["hostnames"] = [tenant["hostnames"][0], _alias(call, tenant, value)]


def _alias(call: Call, tenant: Doc, value: str) -> str:
    """Check a new alias, `<label>.<region>.qlikcloud.com`. It must be unique in the region."""
    alias = value.lower()
    label, _, domain = alias.partition(".")
    if domain != f"{tenant['_region']}.{DOMAIN}":
        raise rejected_patch("/hostnames/1", f"hostname must end in .{tenant['_region']}.{DOMAIN}")
    if not 3 <= len(label) <= 63:
        raise rejected_patch("/hostnames/1", "subdomain length must be 3..63")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", label) or label in RESERVED:
        raise rejected_patch("/hostnames/1", "subdomain is not valid")
    holder = call.store.get(SHARED, "hostname", alias)
    if holder and (holder["tenant"] != tenant["id"] or alias == tenant["hostnames"][0]):
        raise rejected_patch("/hostnames/1", "hostname is already in use")
    return alias
