"""Purged tenants, ended trials, and revived tenants."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, TRIAL, Customer, settings, with_changes
from tests.e2e.fleet import TENANTRY
from tests.e2e.harness import Stack
from tests.e2e.operations import (
    DAY,
    ORGANISATION,
    add_revive_line,
    bring_up,
    deactivate_by_hand,
    entries,
    resources,
    tenants,
)
from tests.world import World, calls, writes

PRODUCTION = with_changes(GLOBEX, ("lifecycle", {"kind": "production", "grace_days": 30}))


def test_a_purged_tenant_is_reported_and_not_replaced(stack: Stack, qlik: Emulator) -> None:
    """A refresh reports the purge and keeps everything in the state. `up` names two solutions.

    The error does not mention credentials, because they are not the cause.
    """
    world = bring_up(stack, qlik, PRODUCTION)
    deactivate_by_hand(world)
    qlik.control.advance(31 * DAY)
    entries_before = entries(stack)
    refreshed = stack.refresh()
    assert refreshed.diffs == {"Tenant tenant": {"status": "update"}}
    assert refreshed.changes == {"update": ["Tenant tenant"], "same": len(entries_before)}
    assert entries(stack) == entries_before
    assert resources(stack)["Tenant tenant"]["outputs"]["status"] == "gone"
    assert any(
        "no longer has tenant" in message and "tenantry forget" in message for message in refreshed.messages
    )
    failed = stack.up(expect=1)
    assert failed.failed == ["Tenant tenant"]
    (error,) = [error for error in failed.errors if world.hostname in error]
    for words in ("`tenantry forget`", "`revive`", "--protected"):
        assert words in error
    assert "QLIK_CLIENT" not in failed.output
    assert "credentials" not in failed.output.replace("The credentials are correct.", "")
    assert writes(failed.requests) == []
    assert (entries(stack), tenants(qlik)) == (entries_before, {})

    forget = [str(TENANTRY), "forget", stack.name, "--protected", "--yes"]
    subprocess.run(forget, cwd=stack.folder, env=stack.env, timeout=240, check=True)
    stack.up(expect=0, **ORGANISATION)
    assert list(tenants(qlik).values()) == ["active"]


def trial(last_day: datetime) -> Customer:
    """Return a trial that ends on a day."""
    return {**GLOBEX, "lifecycle": {**TRIAL, "ends_on": last_day.date().isoformat()}}


def test_an_ended_trial_gets_no_tenant(stack: Stack, qlik: Emulator) -> None:
    """A preview fails as well. `up` also compares the last day with Qlik's clock."""
    now = datetime.now(UTC)
    stack.write(**settings(trial(now - timedelta(days=2))))
    for refused in (stack.preview(expect=None), stack.up(expect=None)):
        assert refused.rc != 0
        (error,) = [error for error in refused.errors if "trial ended on" in error]
        for words in ("ends_on", "revive", "lifecycle: {kind: production}"):
            assert words in error
        assert refused.requests == []

    qlik.control.advance(5 * DAY)
    stack.write(**settings(trial(now + timedelta(days=2))))
    stack.preview()
    refused = stack.up(expect=1)
    assert refused.failed == ["TenantProof proof"]
    assert any("trial ended on" in error for error in refused.errors)
    assert "POST /api/v1/tenants" not in calls(refused.requests)
    assert tenants(qlik) == {}


def test_removed_settings_of_a_revived_tenant(stack: Stack, qlik: Emulator) -> None:
    """An administrator who is removed from the file loses the role. Removed settings keep their values.

    After a revival, Tenantry does not know the settings from before the first `up`. The run says so.
    """
    extras = {
        "admins": {"Support": {"email": "ada@example.com"}},
        "group_settings": {"auto_create_groups": True},
    }
    world = bring_up(stack, qlik, {**GLOBEX, **extras})
    assert administrators(world) == {"auth0|ada"}
    revived_customer = add_revive_line(stack, {**GLOBEX, **extras}, stack.destroy())
    revived = stack.up()
    assert any(
        "auto_create_groups" in message and "is no longer known" in message for message in revived.messages
    )
    stack.write(**settings({key: value for key, value in revived_customer.items() if key not in extras}))
    updated = stack.up()
    assert updated.changes["delete"] == ["GroupSettings group settings", "TenantAdmin Support"]
    assert administrators(world) == set()
    assert world.request("GET", "groups/settings")["autoCreateGroups"] is True
    assert World(qlik, world.hostname).tenant["status"] == "active"


def administrators(world: World) -> set[str]:
    """Return the subjects of the administrators."""
    return {
        user["subject"]
        for user in world.every("user")
        if user["subject"].startswith("auth0|")
        and "TenantAdmin" in {role["name"] for role in user["assignedRoles"]}
    }
