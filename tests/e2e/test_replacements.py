"""Replacements: in the order that Qlik's rules ask for, announced as they happen, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator import Emulator
from tests.e2e.customers import GLOBEX, TRIAL, Customer, changed, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import add_app, bring_up, cloud, content, entries, resources, state, tenants, urn
from tests.e2e.result import Result
from tests.world import World, writes

SPARE = changed(
    GLOBEX,
    ("spaces/Archive", {"type": "shared", "description": "Last year"}),
    ("spaces/Planning", {"type": "managed", "access": {"Analysts": ["consumer"]}}),
)


def agreed(stack: Stack, *args: str) -> Result:
    """Run `up` and see that it does what the preview said, that nothing is left and nothing is in doubt."""
    told = stack.preview(*args)
    done = stack.up(*args)
    assert done.changes == told.changes
    settled(stack)
    return done


def settled(stack: Stack) -> None:
    """The state has each object once, agrees with Qlik, and there is nothing to do."""
    held = entries(stack)
    assert len(held) == len(set(held)), "an object is in the state twice"
    again = stack.up("--refresh", "--expect-no-changes")
    assert again.changes.keys() == {"same"}
    assert writes(again.requests) == []


def test_the_type_of_a_space(stack: Stack, qlik: Emulator) -> None:
    """An empty space is deleted first, since the name is taken; its access goes before and comes after."""
    world = bring_up(stack, qlik, SPARE)
    before = world.spaces
    stack.write(
        **settings(changed(SPARE, ("spaces/Archive/type", "managed"), ("spaces/Planning/type", "shared")))
    )
    done = agreed(stack)
    assert done.changes == {
        "replace": ["Space Archive", "Space Planning", "SpaceAssignment Analysts in Planning"],
        "same": 10,
    }
    types = {name: space["type"] for name, space in world.spaces.items()}
    assert types == {"Staging": "shared", "Sales": "managed", "Archive": "managed", "Planning": "shared"}
    assert world.access["Planning", "Analysts"] == ["consumer"]
    for name in ("Archive", "Planning"):
        assert before[name]["id"] != world.spaces[name]["id"]
    assert all(each["status"] < 400 for each in done.requests), "made before the name was free"


def test_a_space_that_holds_something(stack: Stack, qlik: Emulator) -> None:
    """Qlik refuses to delete it and the error lists what is in it; the former type then changes nothing."""
    world = bring_up(stack, qlik, SPARE)
    add_app(world, "Archive", "Made by hand")
    at_qlik, in_state = content(world), state(stack)
    stack.write(**settings(changed(SPARE, ("spaces/Archive/type", "managed"))))
    refused = stack.up(expect=1)
    assert refused.failed == ["Space Archive"]
    assert any('app "Made by hand"' in error for error in refused.errors)
    assert (content(world), state(stack)) == (at_qlik, in_state)
    stack.write(**settings(SPARE))
    settled(stack)


def test_a_space_that_holds_a_staged_app(stack: Stack, qlik: Emulator) -> None:
    """The app has to leave first; it is imported into its new staging space, and users' copy stays."""
    world = bring_up(stack, qlik, SPARE)
    copy = world.apps["Sales", "Sales Overview"]["id"]
    customer = changed(SPARE, ("apps/Sales Overview/staging", "Archive"), ("spaces/Staging/type", "managed"))
    stack.write(**settings(customer))
    agreed(stack)
    assert world.apps.keys() == {("Archive", "Sales Overview"), ("Sales", "Sales Overview")}
    assert world.spaces["Staging"]["type"] == "managed"
    assert world.apps["Sales", "Sales Overview"]["id"] == copy


def test_a_group(stack: Stack, qlik: Emulator) -> None:
    """The name of an idp group and the provider type replace it, and its access follows; nobody else's."""
    world = bring_up(stack, qlik, GLOBEX)
    old = world.groups["Analysts"]["id"]
    stack.write(**settings(changed(GLOBEX, ("groups/Analysts/name", "BI Analysts"))))
    renamed = agreed(stack)
    assert renamed.changes["replace"] == ["Group Analysts", "SpaceAssignment Analysts in Sales"]
    assert sorted(world.groups) == ["BI Analysts", "Partners"]
    assert world.access == {("Sales", "BI Analysts"): ["consumer", "contributor"]}
    assert f"DELETE /api/v1/groups/{old}" in writes(renamed.requests)

    customer = changed(GLOBEX, ("groups/Analysts", {"name": "BI Analysts", "provider_type": "custom"}))
    stack.write(**settings(customer))
    agreed(stack)
    assert {name: group["providerType"] for name, group in world.groups.items()} == {
        "BI Analysts": "custom",
        "Partners": "custom",
    }
    assert world.access == {("Sales", "BI Analysts"): ["consumer", "contributor"]}


WAYS: dict[str, Callable[[str], list[str]]] = {
    "--replace": lambda tenant: ["--replace", tenant],
    "--target-replace": lambda tenant: ["--target-replace", tenant, "--target-dependents"],
    "taint": lambda tenant: [],
}


@pytest.mark.parametrize("way", WAYS)
def test_the_tenant_itself(stack: Stack, qlik: Emulator, way: str) -> None:
    """A second tenant is made, complete, before the first is deactivated, with everything still in it."""
    customer = {key: value for key, value in GLOBEX.items() if key != "alias"}
    first = bring_up(stack, qlik, customer)
    before, tenant = content(first), urn(stack, "Tenant tenant")
    if way == "taint":
        stack.pulumi("state", "taint", tenant, "--yes")
    done = agreed(stack, *WAYS[way](tenant)) if way == "--replace" else stack.up(*WAYS[way](tenant))
    assert len(done.changes["replace"]) == 9  # type: ignore[arg-type]
    second = World(qlik, resources(stack)["Tenant tenant"]["id"])
    assert tenants(qlik) == {first.hostname: "disabled", second.hostname: "active"}
    assert content(first) == before
    assert writes(done.requests)[-1] == f"POST /api/v1/tenants/{first.tenant['id']}/actions/deactivate"
    assert [call for call in writes(done.requests) if call.startswith("DELETE")] == []
    assert second.apps.keys() == first.apps.keys()
    assert second.access == first.access
    assert second.tenant["name"] == "Globex"
    assert any(first.hostname in message and "revive:" in message for message in done.messages)


def test_the_tenant_with_its_alias(stack: Stack, qlik: Emulator) -> None:
    """An alias is held by one tenant: the new one is made but does not get it, and the error says what helps.

    Until then the old one stays in use; without the alias in the file the next `up` goes on and ends well.
    """
    first = bring_up(stack, qlik, GLOBEX)
    before = content(first)
    failed = stack.up("--replace", urn(stack, "Tenant tenant"), expect=1)
    assert failed.failed == ["Tenant tenant"]
    assert any("cannot have the alias globex.eu.qlikcloud.com" in error for error in failed.errors)
    assert (content(first), first.tenant["status"]) == (before, "active")
    stack.write(**settings({key: value for key, value in GLOBEX.items() if key != "alias"}))
    stack.up()
    second = World(qlik, resources(stack)["Tenant tenant"]["id"])
    assert tenants(qlik) == {first.hostname: "disabled", second.hostname: "active"}
    assert second.apps.keys() == first.apps.keys()
    settled(stack)


EACH = {
    "Space": "Space Sales",
    "Group": "Group Analysts",
    "SpaceAssignment": "SpaceAssignment Analysts in Sales",
    "App": "App Sales Overview",
    "AppPublication": "AppPublication Sales Overview in Sales",
    "TenantLifecycle": "TenantLifecycle lifecycle",
}


def test_a_replacement_that_nothing_calls_for(stack: Stack, qlik: Emulator) -> None:
    """`--replace` finds the object there and keeps it: one of each with all it holds, and nothing in doubt.

    Pulumi makes the new one first, as it asks no provider here; that is the old one, which must not go then.
    """
    world = bring_up(stack, qlik, GLOBEX)
    at_qlik, in_state = content(world), state(stack)
    for kind, name in EACH.items():
        done = stack.up("--replace", urn(stack, name))
        assert (kind, tenants(qlik)) == (kind, {world.hostname: "active"})
        assert content(world) == at_qlik, kind
        assert writes([call for call in done.requests if call["status"] < 400]) == [], kind
        assert state(stack) == in_state, kind
    stack.pulumi("state", "taint", *(urn(stack, name) for name in EACH.values()), "--yes")
    stack.up()
    assert (content(world), state(stack)) == (at_qlik, in_state)
    settled(stack)


def production(customer: Customer) -> dict[str, Any]:
    """The same for a paying customer."""
    return settings({**customer, "lifecycle": {"kind": "production", "grace_days": TRIAL["grace_days"]}})


def test_a_protected_publication_keeps_its_space(stack: Stack, qlik: Emulator) -> None:
    """A new type of the space would take the published app with it: refused before anything is deleted."""
    stack.write(**production(GLOBEX))
    stack.up()
    at_qlik, in_state = cloud(qlik), state(stack)
    customer = changed(GLOBEX, ("spaces/Sales/type", "shared"), ("spaces/Sales/access", {}))
    stack.write(**production(changed(customer, ("apps/Sales Overview/publish_to", []))))
    for refused in (stack.preview(expect=1), stack.up(expect=1)):
        assert any("Sales Overview in Sales" in error and "protect" in error for error in refused.errors)
    assert (cloud(qlik), state(stack)) == (at_qlik, in_state)
