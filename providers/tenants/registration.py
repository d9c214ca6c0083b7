"""Ways to obtain a tenant: bring one back, create one under a proof of this run, or find one created earlier.

Each proof allows at most one request (`tenantry.providers.tenant_proof`). Sources:
https://qlik.dev/manage/platform-operations/create-a-tenant, https://qlik.dev/apis/org-rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import TenantGone, TenantUndecided
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.notes import Note
from tenantry.providers.lookups import exports
from tenantry.providers.qlik import (
    ApiError,
    Cloud,
    ConnectionFailed,
    HostUnknown,
    NotFound,
    QlikError,
    TenantDisabled,
)
from tenantry.providers.tenants import lost_responses, permits
from tenantry.providers.tenants.lifetime import reactivate


class Found(NamedTuple):
    """A tenant: its system hostname, its id at Qlik, and whether it was just created."""

    hostname: str
    tenant_id: str
    new: bool = False


def obtain(cloud: Cloud, want: Properties) -> Found:
    """Return the tenant to use: the one to bring back, a new one, or the one that an earlier run created.

    Raises TenantUndecided if a person must decide, NothingCreated if the proof must be renewed first, and the
    errors of the client.
    """
    revive = want.get("revive")
    if revive:
        found = _revive(cloud, revive["hostname"], revive["tenant_id"])
    else:
        found = _request(cloud, want) or _created_before(cloud, want)
    run.current().active_tenants[found.hostname] = found.tenant_id
    if found.new:
        run.current().new_tenants.add(found.hostname)
    elif revive:
        run.current().revived_tenants.add(found.hostname)
    return found


def _revive(cloud: Cloud, hostname: str, tenant_id: str) -> Found:
    try:
        try:
            cloud.tenant(hostname).get(f"/api/v1/tenants/{tenant_id}")
        except TenantDisabled:
            reactivate(cloud, hostname, tenant_id)
            cloud.notify(f"tenant {hostname} was deactivated; it was brought back with all its content")
    except (NotFound, HostUnknown) as error:
        raise TenantGone(hostname, tenant_id, error) from error
    return Found(hostname, tenant_id)


def _request(cloud: Cloud, want: Properties) -> Found | None:
    """Request a tenant under the proof if this run created the proof. Return None if an earlier run did."""
    proof = want["proof"]
    permit = permits.take(proof["id"])
    if permit is None:
        return None
    note = Note(proof["id"], "tenant")
    body = {"licenseKey": permit.licence_key}
    if want.get("datacenter"):
        body["datacenter"] = want["datacenter"]
    try:
        lost_responses.refuse_namesake(cloud, want, unless_renewed=True)
    except QlikError:
        note.write(outcome="nothing")  # the permit is used up, so this stays true
        raise
    exports.begin(cloud, (want.get("templates") or {}).values())
    note.write(outcome="unknown")
    try:
        with cloud.deadline(permit.remaining(cloud)):
            created = cloud.register(want["region"]).post("/api/v1/tenants", body)
        found = _parse(created)
    except QlikError as error:
        if _certainly_not_created(error):
            note.write(outcome="nothing")
            raise lost_responses.refused(proof["id"], error) from error
        raise lost_responses.lost(cloud, want, error) from error
    note.write(outcome="created", hostname=found.hostname, tenant_id=found.tenant_id)
    return found


def _parse(created: Any) -> Found:
    try:
        hostname, tenant_id = created["hostnames"][0], created["id"]
    except (TypeError, LookupError):
        hostname = tenant_id = None
    if not (isinstance(hostname, str) and isinstance(tenant_id, str) and hostname and tenant_id):
        raise TenantUndecided("the response does not name a tenant: its shape differs from Qlik's")
    return Found(hostname, tenant_id, new=True)


def _certainly_not_created(error: QlikError) -> bool:
    """Tell whether no tenant was created, because Qlik itself refused the request or it was never sent."""
    if error.may_be_done or isinstance(error, TenantUndecided):
        return False
    if isinstance(error, ApiError):
        return error.enveloped
    return not (isinstance(error, ConnectionFailed) and error.sent)


def _created_before(cloud: Cloud, want: Properties) -> Found:
    """Return the tenant that an earlier run created under the proof. This requests no tenant.

    Raises TenantUndecided or NothingCreated if no note names the tenant.
    """
    lost_responses.refuse_forced_replacement()
    note = Note(want["proof"]["id"], "tenant").earlier or {}
    if note.get("outcome") == "created":
        found = Found(str(note["hostname"]), str(note["tenant_id"]))
        try:
            cloud.tenant(found.hostname).get(f"/api/v1/tenants/{found.tenant_id}")
        except (TenantDisabled, NotFound, HostUnknown) as error:
            raise lost_responses.created_but_missing(want, found.hostname, found.tenant_id, error) from error
        cloud.notify(f"an earlier run created tenant {found.hostname} under this proof; continuing with it")
        return found
    raise lost_responses.verdict(cloud, want, nothing_noted=note.get("outcome") == "nothing")
