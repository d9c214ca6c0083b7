"""How a tenant is taken down and comes back (https://qlik.dev/manage/tenants/delete-tenants)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import NotProven, TenantGone, TrialEnded
from tenantry.providers.framework.facts import TenantDeactivated, deactivated, line
from tenantry.providers.qlik import Cloud, ConfigurationError, HostUnknown, NotFound, TenantDisabled
from tenantry.providers.tenants.tenant_list import is_listed
from tenantry.providers.values.days import LastDay
from tenantry.providers.values.limits import GRACE_DAYS, GRACE_VARIABLE


def deactivate(cloud: Cloud, hostname: str, tenant_id: str, grace_days: int) -> str | None:
    """Deactivate a tenant; return the day on which Qlik will purge it, empty where Qlik names none; None if
    the tenant is certainly gone.

    Raises NotProven where it is said not to be there and nothing proves it.
    """
    run.current().active_tenants.pop(hostname, None)
    try:
        answer = _act(cloud, hostname, tenant_id, "deactivate", {"purgeAfterDays": grace_days})
    except NotFound as error:
        _refuse_unproven(cloud, hostname, error)
        run.current().gone_tenants.add(hostname)
        cloud.notify(f"Qlik knows no tenant {hostname} any more (404): there is nothing to deactivate")
        return None
    return str(answer.get("estimatedPurgeDate", ""))[:10]


def take_down(cloud: Cloud, hostname: str, tenant_id: str, grace_days: int) -> None:
    """Deactivate a tenant and say how to bring it back.

    `grace_days` are those of the state. `TENANTRY_GRACE_DAYS` goes before them, as those of a stack file may
    not have got there. Raises ConfigurationError where that is no number of days.
    """
    days = _grace_days_given() or grace_days
    purge_on = deactivate(cloud, hostname, tenant_id, days)
    if purge_on is None:
        return
    told = (hostname, tenant_id, purge_on)
    said = [deactivated(*told), line(TenantDeactivated(*told))]
    if not purge_on:
        until = _until(cloud, hostname, days)
        said.insert(0, f"Qlik named no day of the purge; it was asked to wait {days} days{until}")
    cloud.notify("\n".join(said))


def reactivate(cloud: Cloud, hostname: str, tenant_id: str) -> None:
    """Bring back a tenant that is deactivated and not purged yet."""
    _act(cloud, hostname, tenant_id, "reactivate", {})
    run.current().active_tenants[hostname] = tenant_id


def make_sure_active(cloud: Cloud, hostname: str, tenant_id: str, ends_on: str | None) -> None:
    """Reactivate a tenant that is deactivated, unless it is that of a trial that has ended (TrialEnded).

    Raises TenantGone where Qlik knows no such tenant, NotProven where nothing proves that.
    """
    if hostname in run.current().active_tenants:
        return
    try:
        cloud.tenant(hostname).get(f"/api/v1/tenants/{tenant_id}")
    except TenantDisabled:
        refuse_ended(cloud, hostname, ends_on)
        reactivate(cloud, hostname, tenant_id)
        cloud.notify(f"tenant {hostname} was deactivated, as by a run that was cut off; it is active again")
    except (NotFound, HostUnknown) as error:
        _refuse_unproven(cloud, hostname, error)
        raise gone(hostname, tenant_id, error) from error
    run.current().active_tenants[hostname] = tenant_id


def gone(hostname: str, tenant_id: str, cause: NotFound | HostUnknown) -> TenantGone:
    """Return the error for a tenant of the state that Qlik does not know any more."""
    advice = (
        "It was purged, or somebody deleted it. `tenantry forget` takes it and all in it out of "
        "the state (with --protected for a production customer); the next `pulumi up` then makes "
        "a new one, or takes back the one that `revive` names."
    )
    return TenantGone(hostname, tenant_id, cause, advice)


def refuse_ended(cloud: Cloud, hostname: str, ends_on: str | None) -> None:
    """Raise TrialEnded if the last day of a trial has passed, by Qlik's clock where that is known."""
    if has_ended(ends_on, cloud.time_at(hostname)):
        raise TrialEnded(str(ends_on))


def has_ended(ends_on: str | None, now: float | None = None) -> bool:
    """Tell whether the last day of a trial has passed in its time zone. `now`: seconds since 1970, else this
    machine's.
    """
    moment = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    return bool(ends_on) and LastDay.parse(str(ends_on)).has_passed(moment)


def _refuse_unproven(cloud: Cloud, hostname: str, answer: NotFound | HostUnknown) -> None:
    """Raise NotProven if an answer of 404 does not prove that a tenant is gone."""
    if (isinstance(answer, NotFound) and answer.proven) or is_listed(cloud, hostname) is False:
        return
    why = (
        "the organisation's list still has it"
        if cloud.has_organisation
        else "only the organisation's list would tell, and no organisation client is set"
    )
    raise NotProven(hostname, answer.host, f"{why}. `tenantry forget` lets go of it", answer) from answer


def _until(cloud: Cloud, hostname: str, days: int) -> str:
    """Return the day that many days from now by Qlik's clock, for a message; nothing without a clock."""
    now = cloud.register(cloud.tenant(hostname).region).time
    end = None if now is None else datetime.fromtimestamp(now, UTC) + timedelta(days=days)
    return f", which is until {end.date()}" if end else ""


def _grace_days_given() -> int | None:
    given = os.environ.get(GRACE_VARIABLE)
    if not given:
        return None
    if not given.isdecimal() or not GRACE_DAYS.field["ge"] <= int(given) <= GRACE_DAYS.field["le"]:
        raise ConfigurationError(f"{GRACE_VARIABLE} is {given!r}: give {GRACE_DAYS.hint}. Nothing was sent.")
    return int(given)


def _act(cloud: Cloud, hostname: str, tenant_id: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    register = cloud.register(cloud.tenant(hostname).region)
    path = f"/api/v1/tenants/{tenant_id}/actions/{action}"
    # Repeating is safe: it changes nothing, or starts the same countdown anew.
    answer: dict[str, Any] = register.post(
        path, body, headers={"qlik-confirm-hostname": hostname}, repeatable=True
    )
    return answer or {}
