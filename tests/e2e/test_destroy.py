"""A destroy sends one request. If that request fails, nothing is lost."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import (
    DAY,
    DEACTIVATE,
    bring_up,
    content,
    deactivate_by_hand,
    resources,
    revive_line,
    state,
    tenants,
)
from tests.world import World, calls, writes


def test_a_destroy_is_one_request(stack: Stack, qlik: Emulator) -> None:
    """It deactivates the tenant for the customer's grace period. The content stays unchanged."""
    world = bring_up(stack, qlik, GLOBEX)
    before, tenant = content(world), world.tenant
    destroyed = stack.destroy()
    assert writes(destroyed.requests) == [f"POST /api/v1/tenants/{tenant['id']}/actions/deactivate"]
    assert revive_line(destroyed) == f"revive: {{hostname: {world.hostname}, tenant_id: {tenant['id']}}}"
    assert resources(stack) == {}
    assert content(world) == before
    assert world.tenant["status"] == "disabled"
    assert days_of_grace(world) == pytest.approx(10, abs=0.001)

    second_run = stack.destroy()
    assert (second_run.changes, second_run.requests) == ({}, [])


ACTIVATION = "TenantActivation activation"
REFUSALS: dict[str, dict[str, Any]] = {
    "not allowed": {"status": 403},
    "not confirmed": {"status": 412},
    "server error": {"status": 500},
}


def test_a_failed_destroy_loses_nothing(stack: Stack, qlik: Emulator) -> None:
    """After any response of Qlik, the state has all resources except the activation of the tenant.

    An `up` after it succeeds, and so does a second destroy.
    """
    world = bring_up(stack, qlik, GLOBEX)
    at_qlik, in_state = content(world), state(stack)
    for name, response in REFUSALS.items():
        fault = qlik.control.add_fault(path=DEACTIVATE, **response)
        failed = stack.destroy(expect=1, TENANTRY_DEADLINE="2")
        assert failed.failed == ["TenantLifecycle lifecycle"], name
        assert state(stack) == {key: entry for key, entry in in_state.items() if key != ACTIVATION}, name
        assert (content(world), world.tenant["status"]) == (at_qlik, "active"), name
        status = str(response["status"])
        assert any(status in error and "deactivate" in error for error in failed.errors), name
        assert all("Traceback" not in error for error in failed.errors), name
        qlik.control.release(fault)
    second_run = stack.up()
    assert (second_run.changes, writes(second_run.requests)) == (
        {"create": [ACTIVATION], "same": len(in_state)},
        [],
    )
    assert state(stack) == in_state
    stack.destroy()
    assert world.tenant["status"] == "disabled"


def test_a_tenant_deactivated_outside_pulumi_is_destroyed(stack: Stack, qlik: Emulator) -> None:
    """The destroy prints the `revive` line, because the tenant can still be revived."""
    world = bring_up(stack, qlik, GLOBEX)
    deactivate_by_hand(world)
    destroyed = stack.destroy()
    assert resources(stack) == {}
    assert revive_line(destroyed)
    assert tenants(qlik) == {world.hostname: "disabled"}


def test_a_tenant_purged_outside_pulumi_is_destroyed(stack: Stack, qlik: Emulator) -> None:
    """The destroy prints no `revive` line, because the tenant no longer exists."""
    world = bring_up(stack, qlik, GLOBEX)
    deactivate_by_hand(world)
    qlik.control.advance(31 * DAY)
    destroyed = stack.destroy()
    assert tenants(qlik) == {}
    assert resources(stack) == {}
    assert not any("revive:" in message for message in destroyed.messages)


def test_a_partly_created_customer_is_deactivated(stack: Stack, qlik: Emulator) -> None:
    """The `up` failed before it created the lifecycle, which deactivates the tenant."""
    qlik.control.add_fault(method="POST", path="/api/v1/spaces", status=403)
    stack.write(**settings(GLOBEX))
    assert any(failed.startswith("Space ") for failed in stack.up(expect=1).failed)
    assert "TenantLifecycle lifecycle" not in resources(stack)
    (hostname,) = tenants(qlik)
    before = content(World(qlik, hostname))
    destroyed = stack.destroy()
    assert resources(stack) == {}
    assert [call for call in writes(destroyed.requests) if "deactivate" not in call] == []
    assert len(writes(destroyed.requests)) == 1
    world = World(qlik, hostname)
    assert (world.tenant["status"], content(world)) == ("disabled", before)
    assert days_of_grace(world) == pytest.approx(10, abs=0.001)
    assert hostname in revive_line(destroyed)


def test_run_program_and_refresh_do_not_change_a_destroy(stack: Stack, qlik: Emulator) -> None:
    world = bring_up(stack, qlik, GLOBEX)
    before = content(world)
    destroyed = stack.destroy("--run-program", "--refresh")
    assert world.hostname in revive_line(destroyed)
    assert [call for call in writes(destroyed.requests) if not call.endswith("/deactivate")] == []
    assert (content(world), world.tenant["status"]) == (before, "disabled")
    assert resources(stack) == {}


def test_a_trial_removed_from_the_program_is_deactivated(stack: Stack, qlik: Emulator) -> None:
    """Like a destroy, the `up` sends one request."""
    world = bring_up(stack, qlik, GLOBEX)
    before = content(world)
    (stack.folder / "__main__.py").unlink()
    (stack.folder / "__main__.py").write_text("import pulumi\n")
    destroyed = stack.up()
    assert [call.rpartition("/")[2] for call in writes(destroyed.requests)] == ["deactivate"]
    assert world.hostname in revive_line(destroyed)
    assert (content(world), resources(stack)) == (before, {})


def test_a_space_removed_from_the_file_is_deleted(stack: Stack, qlik: Emulator) -> None:
    """Its access and its published app are deleted with it. Everything else stays."""
    customer = with_changes(
        GLOBEX, ("spaces/Partners", {"type": "managed", "access": {"Partners": ["consumer"]}})
    )
    customer = with_changes(customer, ("apps/Sales Overview/publish_to", ["Sales", "Partners"]))
    world = bring_up(stack, qlik, customer)
    stack.write(**settings(GLOBEX))
    destroyed = stack.up()
    assert destroyed.changes == {
        "delete": [
            "AppPublication Sales Overview in Partners",
            "Space Partners",
            "SpaceAssignment Partners in Partners",
        ],
        "same": 12,
    }
    assert sorted(world.spaces) == ["Sales", "Staging"]
    assert sorted(world.apps) == [("Sales", "Sales Overview"), ("Staging", "Sales Overview")]
    assert world.tenant["status"] == "active"
    assert calls(stack.up("--expect-no-changes").requests) == []


def days_of_grace(world: World) -> float:
    """Return the days from the deactivation to the purge."""
    tenant = world.tenant
    deactivated = datetime.fromisoformat(tenant["statusLastUpdatedAt"]).timestamp()
    return float(tenant["_purge_at"] - deactivated) / DAY
