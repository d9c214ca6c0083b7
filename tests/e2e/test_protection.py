"""No command deletes a production customer as long as it is protected."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up, cloud, content, resources, state, tenants
from tests.world import writes

PRODUCTION = with_changes(GLOBEX, ("lifecycle", {"kind": "production", "grace_days": 30}))
PROTECTED = {
    "Tenant tenant",
    "TenantLifecycle lifecycle",
    "TenantActivation activation",
    "Space Sales",
    "AppPublication Sales Overview in Sales",
}


def test_a_production_customer_cannot_be_destroyed(stack: Stack, qlik: Emulator) -> None:
    """Every command fails before it changes anything in the state or at Qlik."""
    bring_up(stack, qlik, PRODUCTION)
    at_qlik, in_state = cloud(qlik), state(stack)
    assert {name for name, entry in in_state.items() if entry.get("protect")} == PROTECTED
    targets = {name: resource["urn"] for name, resource in resources(stack).items()}

    def check_nothing_changes(*command: str, expect: int | None) -> None:
        result = stack.pulumi(*command, "--yes", expect=expect)
        assert writes(result.requests) == [], command
        assert (cloud(qlik), state(stack)) == (at_qlik, in_state), command

    check_nothing_changes("destroy", expect=1)
    check_nothing_changes("destroy", "--skip-preview", expect=1)
    check_nothing_changes("destroy", "--skip-preview", "--run-program", expect=1)
    check_nothing_changes("destroy", "--skip-preview", "--continue-on-error", expect=1)
    for name in ("Tenant tenant", "Space Sales", "TenantLifecycle lifecycle", "TenantActivation activation"):
        check_nothing_changes(
            "destroy", "--skip-preview", "--target", targets[name], "--target-dependents", expect=1
        )
    check_nothing_changes("up", "--skip-preview", "--replace", targets["Tenant tenant"], expect=1)
    check_nothing_changes("up", "--skip-preview", "--replace", targets["Space Sales"], expect=1)
    check_nothing_changes(
        "up", "--skip-preview", "--target-replace", targets["Tenant tenant"], "--target-dependents", expect=1
    )
    empty_program(stack)
    check_nothing_changes("up", "--skip-preview", expect=1)
    check_nothing_changes("up", expect=1)


def test_a_destroy_without_protected_resources_deletes_nothing(stack: Stack, qlik: Emulator) -> None:
    """The protected resources depend on everything else, so `--exclude-protected` has no effect."""
    bring_up(stack, qlik, PRODUCTION)
    at_qlik, in_state = cloud(qlik), state(stack)
    destroyed = stack.destroy("--exclude-protected", expect=None)
    assert writes(destroyed.requests) == []
    assert (cloud(qlik), state(stack)) == (at_qlik, in_state)


def test_destroying_a_production_customer_needs_two_steps(stack: Stack, qlik: Emulator) -> None:
    """An `up` with `protect: false` sends no request. After it, a part or everything can be deleted."""
    customer = with_changes(PRODUCTION, ("spaces/Partners", {"type": "managed"}))
    customer = with_changes(customer, ("apps/Sales Overview/publish_to", ["Sales", "Partners"]))
    world = bring_up(stack, qlik, customer)
    before, in_state = content(world), state(stack)

    stack.write(**settings(PRODUCTION))
    refused = stack.up(expect=1)
    assert any("protect" in error for error in refused.errors)
    assert writes(refused.requests) == []
    assert (content(world), state(stack)) == (before, in_state)

    stack.write(**settings({**customer, "protect": False}))
    assert stack.up().requests == []
    stack.write(**settings({**PRODUCTION, "protect": False}))
    updated = stack.up()
    assert updated.changes["delete"] == ["AppPublication Sales Overview in Partners", "Space Partners"]
    assert sorted(world.spaces) == ["Sales", "Staging"]
    stack.destroy()
    assert tenants(qlik) == {world.hostname: "disabled"}


CHANGED = {"Tenant tenant", "TenantLifecycle lifecycle", "TenantActivation activation"}
LIFECYCLES: list[tuple[dict[str, Any], list[str]]] = [
    ({"kind": "trial", "ends_on": "2998-01-31", "grace_days": 10}, ["ends_on"]),
    ({"kind": "trial", "ends_on": "2998-01-31", "grace_days": 20}, ["grace_days"]),
    ({"kind": "production", "grace_days": 20}, ["ends_on", "kind"]),
]


def test_a_trial_becomes_a_production_customer(stack: Stack, qlik: Emulator) -> None:
    """Its grace period, its last day and its kind change without a request. After that, it is protected."""
    world = bring_up(stack, qlik, GLOBEX)
    for lifecycle, properties in LIFECYCLES:
        stack.write(**settings({**GLOBEX, "lifecycle": lifecycle}))
        changed_lifecycle = stack.up()
        assert changed_lifecycle.requests == []
        assert sorted(changed_lifecycle.diffs["TenantLifecycle lifecycle"]) == properties
        assert set(changed_lifecycle.changes["update"]) <= CHANGED  # type: ignore[arg-type]
        assert "replace" not in changed_lifecycle.changes
    at_qlik, in_state = cloud(qlik), state(stack)
    assert {name for name, entry in in_state.items() if entry.get("protect")} == PROTECTED
    stack.destroy(expect=1)
    assert (cloud(qlik), state(stack)) == (at_qlik, in_state)
    assert world.tenant["status"] == "active"


def empty_program(stack: Stack) -> None:
    """Replace the program by one without a customer."""
    main = stack.folder / "__main__.py"
    main.unlink()
    main.write_text("import pulumi\n")
