"""Destroying a customer: one request, and no loss if that request fails."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, changed, settings
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
    gone = stack.destroy()
    assert writes(gone.requests) == [f"POST /api/v1/tenants/{tenant['id']}/actions/deactivate"]
    assert revive_line(gone) == f"revive: {{hostname: {world.hostname}, tenant_id: {tenant['id']}}}"
    assert resources(stack) == {}
    assert content(world) == before
    assert world.tenant["status"] == "disabled"
    assert days_of_grace(world) == pytest.approx(10, abs=0.001)

    again = stack.destroy()
    assert (again.changes, again.requests) == ({}, [])


ACTIVATION = "TenantActivation activation"
REFUSALS: dict[str, dict[str, Any]] = {
    "not allowed": {"status": 403},
    "not confirmed": {"status": 412},
    "out of order": {"status": 500},
}


def test_a_destroy_that_fails_loses_nothing(stack: Stack, qlik: Emulator) -> None:
    """After any response of Qlik, the state has all resources except the activation of the tenant.

    A second attempt succeeds, and so does an `up`.
    """
    world = bring_up(stack, qlik, GLOBEX)
    at_qlik, in_state = content(world), state(stack)
    for name, answer in REFUSALS.items():
        fault = qlik.control.add_fault(path=DEACTIVATE, **answer)
        failed = stack.destroy(expect=1, TENANTRY_DEADLINE="2")
        assert failed.failed == ["TenantLifecycle lifecycle"], name
        assert state(stack) == {key: entry for key, entry in in_state.items() if key != ACTIVATION}, name
        assert (content(world), world.tenant["status"]) == (at_qlik, "active"), name
        assert any(str(answer["status"]) in error and "deactivate" in error for error in failed.errors), name
        assert all("Traceback" not in error for error in failed.errors), name
        qlik.control.release(fault)
    again = stack.up()
    assert (again.changes, writes(again.requests)) == (
        {"create": [ACTIVATION], "same": len(in_state)},
        [],
    )
    assert state(stack) == in_state
    stack.destroy()
    assert world.tenant["status"] == "disabled"


def test_a_deactivated_tenant_can_be_destroyed(stack: Stack, qlik: Emulator) -> None:
    """A destroy succeeds, starts the grace period of the stack file, and prints the `revive` line."""
    world = bring_up(stack, qlik, GLOBEX)
    deactivate_by_hand(world)
    gone = stack.destroy()
    assert resources(stack) == {}
    assert revive_line(gone)
    assert tenants(qlik) == {world.hostname: "disabled"}


def test_a_purged_tenant_can_be_destroyed(stack: Stack, qlik: Emulator) -> None:
    """A destroy succeeds, and prints no `revive` line because the tenant is gone."""
    world = bring_up(stack, qlik, GLOBEX)
    deactivate_by_hand(world)
    qlik.control.advance(31 * DAY)
    gone = stack.destroy()
    assert tenants(qlik) == {}
    assert resources(stack) == {}
    assert not any("revive:" in message for message in gone.messages)


def test_a_partly_created_customer_can_be_destroyed(stack: Stack, qlik: Emulator) -> None:
    """If `up` failed before the lifecycle was created, a destroy still deactivates the tenant."""
    qlik.control.add_fault(method="POST", path="/api/v1/spaces", status=403)
    stack.write(**settings(GLOBEX))
    assert any(failed.startswith("Space ") for failed in stack.up(expect=1).failed)
    assert "TenantLifecycle lifecycle" not in resources(stack)
    (hostname,) = tenants(qlik)
    before = content(World(qlik, hostname))
    gone = stack.destroy()
    assert resources(stack) == {}
    assert [call for call in writes(gone.requests) if "deactivate" not in call] == []
    assert len(writes(gone.requests)) == 1
    world = World(qlik, hostname)
    assert (world.tenant["status"], content(world)) == ("disabled", before)
    assert days_of_grace(world) == pytest.approx(10, abs=0.001)
    assert hostname in revive_line(gone)


def test_the_program_may_run_for_a_destroy(stack: Stack, qlik: Emulator) -> None:
    """`--run-program` and `--refresh` do not change the result."""
    world = bring_up(stack, qlik, GLOBEX)
    before = content(world)
    gone = stack.destroy("--run-program", "--refresh")
    assert world.hostname in revive_line(gone)
    assert [call for call in writes(gone.requests) if not call.endswith("/deactivate")] == []
    assert (content(world), world.tenant["status"]) == (before, "disabled")
    assert resources(stack) == {}


def test_removing_the_customer_from_the_program_deactivates_a_trial(stack: Stack, qlik: Emulator) -> None:
    """An `up` of a program without the customer deactivates a trial like a destroy: one request."""
    world = bring_up(stack, qlik, GLOBEX)
    before = content(world)
    (stack.folder / "__main__.py").unlink()
    (stack.folder / "__main__.py").write_text("import pulumi\n")
    gone = stack.up()
    assert [call.rpartition("/")[2] for call in writes(gone.requests)] == ["deactivate"]
    assert world.hostname in revive_line(gone)
    assert (content(world), resources(stack)) == (before, {})


def test_removing_a_space_deletes_only_what_is_in_it(stack: Stack, qlik: Emulator) -> None:
    """A trial's space is deleted with its published app and its access. Everything else stays."""
    customer = changed(GLOBEX, ("spaces/Partners", {"type": "managed", "access": {"Partners": ["consumer"]}}))
    customer = changed(customer, ("apps/Sales Overview/publish_to", ["Sales", "Partners"]))
    world = bring_up(stack, qlik, customer)
    stack.write(**settings(GLOBEX))
    gone = stack.up()
    assert gone.changes == {
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
