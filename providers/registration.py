"""How a tenant comes to be, goes and comes back, and which tenant an earlier run made.

Creating a tenant takes no name and no key, so a second request makes a second tenant. One is claimed only on
evidence: the note that this stack wrote before asking, and the one tenant that fits it; never on a guess.
Sources: https://qlik.dev/manage/platform-operations/create-a-tenant and …/delete-a-tenant,
https://qlik.dev/apis/org-rest.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from providers import run
from providers.errors import TenantGone, TenantUndecided
from providers.intents import Intent
from providers.limits import GRACE_DAYS, GRACE_VARIABLE
from providers.qlik import Cloud, ConfigurationError, NotFound, QlikError, TenantDisabled
from providers.verbs import Properties, made_by_us
from providers.waiting import lag_seconds, meanwhile, wait

CLOCK_SKEW = timedelta(minutes=2)
LONGEST_RUN = timedelta(minutes=15)


class Found(NamedTuple):
    """A tenant: its system hostname, its id at Qlik, and whether it was made just now."""

    hostname: str
    tenant_id: str
    new: bool = False


def obtain(cloud: Cloud, want: Properties) -> Found:
    """Return the tenant to use: the one to revive, the one that an earlier run made, or a new one."""
    revive = want.get("revive")
    intent = Intent("tenant")
    if isinstance(revive, dict):
        found = Found(revive["hostname"], revive["tenant_id"])
        _bring_back(cloud, found.hostname, found.tenant_id)
    else:
        left = _recover(cloud, want, intent) or (_deactivated(cloud, want) if revive is None else None)
        found = left or _make(cloud, want, intent)
    intent.finish(hostname=found.hostname, tenant_id=found.tenant_id)
    run.current().active_tenants[found.hostname] = found.tenant_id
    if found.new:
        run.current().new_tenants.add(found.hostname)
    return found


def deactivate(cloud: Cloud, hostname: str, tenant_id: str, grace_days: int) -> str:
    """Deactivate a tenant; return the date on which Qlik will purge it, nothing if it is gone."""
    run.current().active_tenants.pop(hostname, None)
    try:
        answer = _act(cloud, hostname, tenant_id, "deactivate", {"purgeAfterDays": grace_days})
    except NotFound:
        return ""
    return str(answer.get("estimatedPurgeDate", ""))


def take_down(cloud: Cloud, hostname: str, tenant_id: str, grace_days: int) -> None:
    """Deactivate a tenant and say how to bring it back.

    `grace_days` are those of the state. `TENANTRY_GRACE_DAYS` goes before them, as those of a stack file may
    not have got there. Raises ConfigurationError where that is no number of days.
    """
    purged = deactivate(cloud, hostname, tenant_id, _grace_days_given() or grace_days)
    if purged:
        cloud.notify(
            f"tenant {hostname} is deactivated; Qlik purges it on {purged[:10]}. To bring it back "
            "before that day, add this to the customer in its stack file and run `pulumi up`:\n"
            f"  revive: {{hostname: {hostname}, tenant_id: {tenant_id}}}"
        )


def _grace_days_given() -> int | None:
    given = os.environ.get(GRACE_VARIABLE)
    if not given:
        return None
    if not given.isdecimal() or not GRACE_DAYS.field["ge"] <= int(given) <= GRACE_DAYS.field["le"]:
        raise ConfigurationError(f"{GRACE_VARIABLE} is {given!r}: give {GRACE_DAYS.hint}. Nothing was sent.")
    return int(given)


def reactivate(cloud: Cloud, hostname: str, tenant_id: str) -> None:
    """Bring back a tenant that is deactivated and not purged yet."""
    _act(cloud, hostname, tenant_id, "reactivate", {})
    run.current().active_tenants[hostname] = tenant_id


def _act(cloud: Cloud, hostname: str, tenant_id: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    register = cloud.register(cloud.tenant(hostname).region)
    path = f"/api/v1/tenants/{tenant_id}/actions/{action}"
    # Repeating is safe: it changes nothing, or starts the same countdown anew.
    answer: dict[str, Any] = register.post(
        path, body, headers={"qlik-confirm-hostname": hostname}, repeatable=True
    )
    return answer or {}


def _bring_back(cloud: Cloud, hostname: str, tenant_id: str) -> None:
    try:
        try:
            cloud.tenant(hostname).get(f"/api/v1/tenants/{tenant_id}")
        except TenantDisabled:
            reactivate(cloud, hostname, tenant_id)
            cloud.notify(f"tenant {hostname} was deactivated; brought back with everything in it")
    except NotFound as error:
        raise TenantGone(hostname, tenant_id, error) from error


def _make(cloud: Cloud, want: Properties, intent: Intent) -> Found:
    register = cloud.register(want["region"])
    with meanwhile(register.authenticate):
        licence = cloud.tenant(want["source_tenant"]).get("/api/v1/licenses/overview")
    body = {"licenseKey": licence["licenseKey"]}
    if want.get("datacenter"):
        body["datacenter"] = want["datacenter"]
    try:
        with intent.sending(region=want["region"], name=want["name"], revive=want.get("revive")):
            made = register.post("/api/v1/tenants", body)
    except QlikError as error:
        found = _recover(cloud, want, Intent("tenant")) if error.may_be_done else None
        if found is None:
            raise
        return found
    return Found(made["hostnames"][0], made["id"], new=True)


def _recover(cloud: Cloud, want: Properties, intent: Intent) -> Found | None:
    """Return the tenant that an earlier run of this stack made; None if there surely was none."""
    note = intent.earlier
    if note is None or (want.get("revive") == "new" and note.get("revive") != "new"):
        return None
    if "finished" in note:
        return _recorded(cloud, note)
    if not cloud.has_organisation:
        raise TenantUndecided(
            f"{_asked(note)} Without the organisation's credentials (QLIK_ORG_CLIENT_ID and "
            f"QLIK_ORG_CLIENT_SECRET) nothing tells whether it was made. Set them, or look for it in My Qlik."
            f"{_advice(want, intent)}"
        )
    candidates = _candidates(cloud, want, note)
    if not candidates:
        return None
    makers_host = cloud.tenant(want["source_tenant"])
    if (
        len(candidates) > 1
        or any(_fits(candidates[0], rival) for rival in intent.rivals())
        or not made_by_us(makers_host, candidates[0].get("createdBy"))
    ):
        raise TenantUndecided(f"{_asked(note)} These may be it:{_shown(candidates)}{_advice(want, intent)}")
    found = Found(candidates[0]["hostnames"][0], candidates[0]["id"])
    cloud.notify(f"tenant {found.hostname} is there, though its answer was lost; going on with it")
    return found


def _candidates(cloud: Cloud, want: Properties, note: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tenants that may be the one asked for; wait while Qlik may still be making it."""

    def look() -> list[dict[str, Any]] | None:
        return [tenant for tenant in _listed(cloud, want) if _fits(tenant, note)] or None

    age = datetime.now(UTC) - datetime.fromisoformat(note["started"])
    left = max(0.0, lag_seconds() - max(0.0, age.total_seconds()))
    return wait(cloud, look, "the tenant whose answer was lost", left) or []


def _recorded(cloud: Cloud, note: dict[str, Any]) -> Found | None:
    """Return the tenant that the note names, unless it has been taken down since."""
    found = Found(note["hostname"], note["tenant_id"])
    try:
        cloud.tenant(found.hostname).get(f"/api/v1/tenants/{found.tenant_id}")
    except (TenantDisabled, NotFound):
        return None
    cloud.notify(f"tenant {found.hostname} was made by an earlier run of this stack; going on with it")
    return found


def _deactivated(cloud: Cloud, want: Properties) -> Found | None:
    """Return the one deactivated tenant of this name that we made, brought back.

    Only the organisation's API lists those.
    """
    if not cloud.has_organisation:
        return None
    same = [
        tenant
        for tenant in _listed(cloud, want)
        if tenant.get("name") == want["name"]
        and tenant["status"] in ("disabled", "deactivated")
        and made_by_us(cloud.tenant(want["source_tenant"]), tenant.get("createdBy"))
    ]
    if not same:
        return None
    if len(same) > 1:
        raise TenantUndecided(
            f'Several deactivated tenants have the name "{want["name"]}":{_shown(same)}'
            f"{_advice(want, Intent('tenant'))}"
        )
    found = Found(same[0]["hostnames"][0], same[0]["id"])
    reactivate(cloud, found.hostname, found.tenant_id)
    cloud.notify(f'tenant {found.hostname}, deactivated earlier, has the name "{want["name"]}"; brought back')
    return found


def _listed(cloud: Cloud, want: Properties) -> list[dict[str, Any]]:
    """Return the tenants of the region, as the organisation's API lists them."""
    suffix = f".{want['region']}.qlikcloud.com"
    tenants = cloud.organisation().list("/api/core/tenants", {"sort": "-createdAt"})
    return [tenant for tenant in tenants if tenant["hostnames"] and tenant["hostnames"][0].endswith(suffix)]


def _fits(tenant: dict[str, Any], note: dict[str, Any]) -> bool:
    """Tell whether a tenant is active, has no name of its own, and was made where and when the note says."""
    hostname = tenant["hostnames"][0]
    made, started = datetime.fromisoformat(tenant["createdAt"]), datetime.fromisoformat(note["started"])
    return (
        tenant["status"] == "active"
        and tenant.get("name", "") in ("", hostname.partition(".")[0])
        and hostname.endswith(f".{note['region']}.qlikcloud.com")
        and started - CLOCK_SKEW <= made <= started + LONGEST_RUN
    )


def _asked(note: dict[str, Any]) -> str:
    return (
        f"A run of this stack asked register.{note['region']}.qlikcloud.com for a tenant at "
        f"{note['started']} and never saw the answer."
    )


def _shown(tenants: list[dict[str, Any]]) -> str:
    lines = (
        f"\n  - hostname: {each['hostnames'][0]}, tenant_id: {each['id']}"
        f" ({each['status']}, made {each['createdAt']})"
        for each in tenants
    )
    return "".join(lines)


def _advice(want: Properties, intent: Intent) -> str:
    anew = "`revive: new` to have a new one made"
    if want.get("revive") == "new":
        anew = f"delete {intent.path} to have a new one made all the same"
    return (
        "\nPut `revive: {hostname: …, tenant_id: …}` into the stack file to go on with a tenant that you "
        f"know to be this customer's, or {anew}, and run `pulumi up`."
    )
