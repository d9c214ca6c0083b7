"""Deactivation and reactivation of a tenant (https://qlik.dev/manage/tenants/delete-tenants)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import NotProven, TenantGone, TrialEnded
from tenantry.providers.framework.facts import TenantDeactivated, deactivated_message, line
from tenantry.providers.qlik import Cloud, ConfigurationError, HostUnknown, NotFound, TenantDisabled
from tenantry.providers.tenants.tenant_list import is_listed
from tenantry.providers.values.days import LastDay
from tenantry.providers.values.limits import GRACE_DAYS, GRACE_VARIABLE


def deactivate(cloud: Cloud, hostname: str, tenant_id: str, grace_days: int) -> str | None:
    """Deactivate a tenant and return the day on which Qlik will purge it, empty if Qlik names none.

    Returns None if the tenant is certainly gone. Raises NotProven if Qlik answers 404 without proof.
    """
    run.current().active_tenants.pop(hostname, None)
    try:
        response = _act(cloud, hostname, tenant_id, "deactivate", {"purgeAfterDays": grace_days})
    except NotFound as error:
        _refuse_unproven(cloud, hostname, error)
        run.current().gone_tenants.add(hostname)
        cloud.notify(f"tenant {hostname} no longer exists (404), so there is nothing to deactivate")
        return None
    return str(response.get("estimatedPurgeDate", ""))[:10]


def take_down(cloud: Cloud, hostname: str, tenant_id: str, grace_days: int) -> None:
    """Deactivate a tenant, and tell the user how to bring it back.

    `grace_days` comes from the state. `TENANTRY_GRACE_DAYS` takes precedence, because the value of the stack
    file may not be in the state yet. Raises ConfigurationError if it is not a number of days.
    """
    days = _grace_days_override() or grace_days
    purge_on = deactivate(cloud, hostname, tenant_id, days)
    if purge_on is None:
        return
    fact = TenantDeactivated(hostname, tenant_id, purge_on)
    lines = [deactivated_message(hostname, tenant_id, purge_on), line(fact)]
    if not purge_on:
        until = _until(cloud, hostname, days)
        lines.insert(0, f"Qlik did not name the day of the purge. Tenantry requested {days} days{until}.")
    cloud.notify("\n".join(lines))


def reactivate(cloud: Cloud, hostname: str, tenant_id: str) -> None:
    """Bring back a deactivated tenant that is not purged yet."""
    _act(cloud, hostname, tenant_id, "reactivate", {})
    run.current().active_tenants[hostname] = tenant_id


def make_sure_active(cloud: Cloud, hostname: str, tenant_id: str, ends_on: str | None) -> None:
    """Reactivate a tenant if it is deactivated.

    Raises TrialEnded if its trial has ended, TenantGone if the tenant does not exist, and NotProven if a 404
    does not prove that.
    """
    if hostname in run.current().active_tenants:
        return
    try:
        cloud.tenant(hostname).get(f"/api/v1/tenants/{tenant_id}")
    except TenantDisabled:
        refuse_ended(cloud, hostname, ends_on)
        reactivate(cloud, hostname, tenant_id)
        cloud.notify(f"tenant {hostname} was deactivated, perhaps by an interrupted run; it is active again")
    except (NotFound, HostUnknown) as error:
        _refuse_unproven(cloud, hostname, error)
        raise gone_error(hostname, tenant_id, error) from error
    run.current().active_tenants[hostname] = tenant_id


def gone_error(hostname: str, tenant_id: str, cause: NotFound | HostUnknown) -> TenantGone:
    """Return the error for a tenant in the state that no longer exists at Qlik."""
    advice = (
        "It was purged, or somebody deleted it. 1. Run `tenantry forget` (with --protected for a production "
        "customer), which removes it and its content from the state. 2. Run `pulumi up`, which creates a new "
        "tenant, or brings back the one that `revive` names."
    )
    return TenantGone(hostname, tenant_id, cause, advice)


def refuse_ended(cloud: Cloud, hostname: str, ends_on: str | None) -> None:
    """Raise TrialEnded if the last day of a trial has passed, by Qlik's clock if its time is known."""
    if has_ended(ends_on, cloud.time_at(hostname)):
        raise TrialEnded(str(ends_on))


def has_ended(ends_on: str | None, now: float | None = None) -> bool:
    """Tell whether the last day of a trial has passed in its time zone.

    `now` is in seconds since 1970 (default: this machine's time).
    """
    moment = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    return bool(ends_on) and LastDay.parse(str(ends_on)).has_passed(moment)


def _refuse_unproven(cloud: Cloud, hostname: str, error: NotFound | HostUnknown) -> None:
    """Raise NotProven if a 404 does not prove that a tenant is gone."""
    if (isinstance(error, NotFound) and error.proven) or is_listed(cloud, hostname) is False:
        return
    reason = (
        "the organisation's list still has it"
        if cloud.has_organisation
        else "only the organisation's list could prove it, and no organisation client is set"
    )
    reason = f"{reason}. `tenantry forget` removes it from the state"
    raise NotProven(hostname, error.host, reason, error) from error


def _until(cloud: Cloud, hostname: str, days: int) -> str:
    """Return the end of this number of days by Qlik's clock, for a message. Empty if the time is unknown."""
    now = cloud.register(cloud.tenant(hostname).region).time
    end = None if now is None else datetime.fromtimestamp(now, UTC) + timedelta(days=days)
    return f", until {end.date()}" if end else ""


def _grace_days_override() -> int | None:
    text = os.environ.get(GRACE_VARIABLE)
    if not text:
        return None
    if not text.isdecimal() or not GRACE_DAYS.field["ge"] <= int(text) <= GRACE_DAYS.field["le"]:
        raise ConfigurationError(f"{GRACE_VARIABLE} is {text!r}, not {GRACE_DAYS.hint}. Nothing was sent.")
    return int(text)


def _act(cloud: Cloud, hostname: str, tenant_id: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    register = cloud.register(cloud.tenant(hostname).region)
    path = f"/api/v1/tenants/{tenant_id}/actions/{action}"
    # A repeated request changes nothing, or restarts the same countdown.
    response: dict[str, Any] = register.post(
        path, body, headers={"qlik-confirm-hostname": hostname}, repeatable=True
    )
    return response or {}
