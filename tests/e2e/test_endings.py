"""Purged tenants, ended trials, and revived tenants."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, TRIAL, Customer, changed, settings
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

PRODUCTION = changed(GLOBEX, ("lifecycle", {"kind": "production", "grace_days": 30}))


def test_a_customer_who_was_purged(stack: Stack, qlik: Emulator) -> None:
    """A refresh reports the purge and keeps everything in the state.

    `up` names two solutions and creates nothing. The error does not ask for credentials, because they are not
    the cause.
    """
    world = bring_up(stack, qlik, PRODUCTION)
    deactivate_by_hand(world)
    qlik.control.advance(31 * DAY)
    held = entries(stack)
    gone = stack.refresh()
    assert gone.diffs == {"Tenant tenant": {"status": "update"}}
    assert gone.changes == {"update": ["Tenant tenant"], "same": len(held)}
    assert entries(stack) == held
    assert resources(stack)["Tenant tenant"]["outputs"]["status"] == "gone"
    assert any(
        "no longer has tenant" in message and "tenantry forget" in message for message in gone.messages
    )
    failed = stack.up(expect=1)
    assert failed.failed == ["Tenant tenant"]
    (error,) = [error for error in failed.errors if world.hostname in error]
    for words in ("`tenantry forget`", "`revive`", "--protected"):
        assert words in error
    assert "QLIK_CLIENT" not in failed.output
    assert "credentials" not in failed.output.replace("The credentials are correct.", "")
    assert writes(failed.requests) == []
    assert (entries(stack), tenants(qlik)) == (held, {})

    forget = [str(TENANTRY), "forget", stack.name, "--protected", "--yes"]
    subprocess.run(forget, cwd=stack.folder, env=stack.env, timeout=240, check=True)
    stack.up(expect=0, **ORGANISATION)
    assert list(tenants(qlik).values()) == ["active"]


def trial(last_day: datetime) -> Customer:
    """Return a trial that ends on a day."""
    return {**GLOBEX, "lifecycle": {**TRIAL, "ends_on": last_day.date().isoformat()}}


def test_an_ended_trial_gets_no_tenant(stack: Stack, qlik: Emulator) -> None:
    """A preview fails as well. Qlik's clock decides on the end, if Qlik can be reached."""
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


def test_settings_of_a_revived_tenant(stack: Stack, qlik: Emulator) -> None:
    """An administrator who is removed from the file loses the role.

    The settings from before the first `up` are unknown after a revival. The run says that it keeps the
    current settings, and it does.
    """
    extras = {
        "admins": {"Support": {"email": "ada@example.com"}},
        "group_settings": {"auto_create_groups": True},
    }
    world = bring_up(stack, qlik, {**GLOBEX, **extras})
    assert administrators(world) == {"auth0|ada"}
    taken = add_revive_line(stack, {**GLOBEX, **extras}, stack.destroy())
    back = stack.up()
    assert any(
        "auto_create_groups" in message and "is no longer known" in message for message in back.messages
    )
    stack.write(**settings({key: value for key, value in taken.items() if key not in extras}))
    done = stack.up()
    assert done.changes["delete"] == ["GroupSettings group settings", "TenantAdmin Support"]
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
