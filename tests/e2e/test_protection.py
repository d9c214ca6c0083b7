"""No command deletes a production customer before its protection is off."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, changed, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up, cloud, content, resources, state, tenants
from tests.world import writes

PRODUCTION = changed(GLOBEX, ("lifecycle", {"kind": "production", "grace_days": 30}))
PROTECTED = {
    "Tenant tenant",
    "TenantLifecycle lifecycle",
    "TenantActivation activation",
    "Space Sales",
    "AppPublication Sales Overview in Sales",
}


def test_a_production_customer_cannot_be_destroyed(stack: Stack, qlik: Emulator) -> None:
    """Every command fails before it sends a request: the state keeps all resources, and Qlik all objects."""
    bring_up(stack, qlik, PRODUCTION)
    at_qlik, in_state = cloud(qlik), state(stack)
    assert {name for name, entry in in_state.items() if entry.get("protect")} == PROTECTED
    targets = {name: resource["urn"] for name, resource in resources(stack).items()}

    def survives(*command: str, expect: int | None) -> None:
        result = stack.pulumi(*command, "--yes", expect=expect)
        assert writes(result.requests) == [], command
        assert (cloud(qlik), state(stack)) == (at_qlik, in_state), command

    survives("destroy", expect=1)
    survives("destroy", "--skip-preview", expect=1)
    survives("destroy", "--skip-preview", "--run-program", expect=1)
    survives("destroy", "--skip-preview", "--continue-on-error", expect=1)
    for name in ("Tenant tenant", "Space Sales", "TenantLifecycle lifecycle", "TenantActivation activation"):
        survives("destroy", "--skip-preview", "--target", targets[name], "--target-dependents", expect=1)
    survives("up", "--skip-preview", "--replace", targets["Tenant tenant"], expect=1)
    survives("up", "--skip-preview", "--replace", targets["Space Sales"], expect=1)
    survives(
        "up", "--skip-preview", "--target-replace", targets["Tenant tenant"], "--target-dependents", expect=1
    )
    empty_program(stack)
    survives("up", "--skip-preview", expect=1)
    survives("up", expect=1)


def test_exclude_protected_deletes_nothing_of_a_production_customer(stack: Stack, qlik: Emulator) -> None:
    """`--exclude-protected` deletes nothing, because the protected resources need everything else."""
    bring_up(stack, qlik, PRODUCTION)
    at_qlik, in_state = cloud(qlik), state(stack)
    spared = stack.destroy("--exclude-protected", expect=None)
    assert writes(spared.requests) == []
    assert (cloud(qlik), state(stack)) == (at_qlik, in_state)


def test_destroying_a_production_customer_needs_two_steps(stack: Stack, qlik: Emulator) -> None:
    """First `protect: false` and `up`, which sends no request. Then you can delete a part, or everything."""
    customer = changed(PRODUCTION, ("spaces/Partners", {"type": "managed"}))
    customer = changed(customer, ("apps/Sales Overview/publish_to", ["Sales", "Partners"]))
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
    gone = stack.up()
    assert gone.changes["delete"] == ["AppPublication Sales Overview in Partners", "Space Partners"]
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
    """Its grace period, its end and its kind change in place, without a request. Then it is protected."""
    world = bring_up(stack, qlik, GLOBEX)
    for lifecycle, properties in LIFECYCLES:
        stack.write(**settings({**GLOBEX, "lifecycle": lifecycle}))
        turned = stack.up()
        assert turned.requests == []
        assert sorted(turned.diffs["TenantLifecycle lifecycle"]) == properties
        assert set(turned.changes["update"]) <= CHANGED  # type: ignore[arg-type]
        assert "replace" not in turned.changes
    at_qlik, in_state = cloud(qlik), state(stack)
    assert {name for name, entry in in_state.items() if entry.get("protect")} == PROTECTED
    stack.destroy(expect=1)
    assert (cloud(qlik), state(stack)) == (at_qlik, in_state)
    assert world.tenant["status"] == "active"


def empty_program(stack: Stack) -> None:
    """Remove the customer from the program."""
    main = stack.folder / "__main__.py"
    main.unlink()
    main.write_text("import pulumi\n")
