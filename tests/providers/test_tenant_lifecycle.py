"""The lifecycle of a tenant. It exists only in the state, and its deletion deactivates the tenant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.facts import TenantDeactivated, read
from tenantry.providers.values.limits import GRACE_VARIABLE
from tests.providers.resource_driver import Case, InPlace, Inputs, MakeDriver, Tenancy


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "tenant_id": tenancy.tenant_id,
        "kind": "trial",
        "ends_on": "2999-12-31",
        "grace_days": 10,
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    return {} if tenancy.world.tenant["status"] == "active" else None


CASE = Case(
    "tenant_lifecycle",
    inputs_for,
    remote,
    creates=("GET /api/v1/tenants/{tenant_id}",),
    deletes=("POST /api/v1/tenants/{tenant_id}/actions/deactivate",),
    changes={
        "kind": InPlace("production"),
        "ends_on": InPlace("2999-01-31"),
        "grace_days": InPlace(90),
        "release_entitlements": InPlace(True),
    },
)


def test_the_deletion_of_the_lifecycle_deactivates_the_tenant(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The message contains the lines that revive the tenant."""
    lifecycle = driver("tenant_lifecycle").create(inputs_for(tenancy))
    lifecycle.update({**inputs_for(tenancy), "grace_days": 12})
    lifecycle.delete()
    assert tenancy.world.tenant["status"] == "disabled"
    line = f"revive: {{hostname: {tenancy.hostname}, tenant_id: {tenancy.tenant_id}}}"
    assert line in tenancy.messages[-1]


def test_an_environment_variable_overrides_the_grace_days(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invalid value deactivates nothing."""
    lifecycle = driver("tenant_lifecycle").create(inputs_for(tenancy))
    for invalid in ("9", "91", "-12", "a month"):
        monkeypatch.setenv(GRACE_VARIABLE, invalid)
        with pytest.raises(Failure, match="not 10 to 90 days"):
            lifecycle.delete()
    assert tenancy.world.tenant["status"] == "active"
    monkeypatch.setenv(GRACE_VARIABLE, "21")
    lifecycle.delete()
    purged_at = datetime.fromtimestamp(tenancy.world.tenant["_purge_at"], UTC)
    report = TenantDeactivated(tenancy.hostname, tenancy.tenant_id, str(purged_at.date()))
    assert read(tenancy.messages[-1])[0] == [report]
    deactivated_at = datetime.fromisoformat(tenancy.world.tenant["lastUpdated"])
    assert (purged_at - deactivated_at).days in (20, 21)


def test_the_purge_day_is_not_invented_if_qlik_does_not_return_it(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """The message still says how to revive the tenant."""
    lifecycle = driver("tenant_lifecycle").create({**inputs_for(tenancy), "grace_days": 12})
    tenancy.qlik.control.add_fault(path="*/actions/deactivate", merge={"estimatedPurgeDate": None})
    lifecycle.delete()
    assert tenancy.world.tenant["status"] == "disabled"
    [report], message = read(tenancy.messages[-1])
    assert report == TenantDeactivated(tenancy.hostname, tenancy.tenant_id, "")
    assert f"revive: {{hostname: {tenancy.hostname}, tenant_id: {tenancy.tenant_id}}}" in message
    assert "To bring it back before the purge" in message
    purge_at = tenancy.world.tenant["_purge_at"]
    days = {datetime.fromtimestamp(purge_at + offset, UTC).date() for offset in (0, 60)}
    assert any(f"Tenantry requested 12 days, until {day}" in message for day in days)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("grace_days", 9, "10 to 90 days"),
        ("grace_days", 91, "10 to 90 days"),
        ("ends_on", "31.12.2026", "YYYY-MM-DD"),
        ("kind", "demo", "'production' or 'trial'"),
    ],
)
def test_invalid_values_are_refused(
    driver: MakeDriver, tenancy: Tenancy, name: str, value: object, message: str
) -> None:
    """The message lists the allowed values."""
    with pytest.raises(AssertionError, match=f"{name}: .*{message}"):
        driver("tenant_lifecycle").check({**inputs_for(tenancy), name: value})
