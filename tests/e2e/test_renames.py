"""The name of an object at Qlik, and its key in the stack file."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, changed, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up, cloud, entries, resources, state, urn
from tests.world import World, writes

ACCESS = {"Analysts": ["consumer", "contributor"]}
RENAMED: Customer = {
    **GLOBEX,
    "groups": {
        "Data Analysts": {"name": "Analysts", "roles": ["AnalyticsAdmin"], "renamed_from": "Analysts"},
        "Resellers": {**GLOBEX["groups"]["Partners"], "name": "Partners", "renamed_from": "Partners"},
    },
    "spaces": {
        "Imports": {**GLOBEX["spaces"]["Staging"], "name": "Staging", "renamed_from": "Staging"},
        "Revenue": {
            "type": "managed",
            "name": "Sales",
            "renamed_from": "Sales",
            "access": {"Data Analysts": ACCESS["Analysts"]},
        },
    },
    "apps": {
        "Overview": {
            **GLOBEX["apps"]["Sales Overview"],
            "name": "Sales Overview",
            "renamed_from": "Sales Overview",
            "staging": "Imports",
            "publish_to": ["Revenue"],
        }
    },
}
"""The same customer with new keys and unchanged names at Qlik."""


def without_renamed_from(customer: Customer) -> Customer:
    """Return the customer without `renamed_from`."""
    blocks = {
        kind: {
            key: {name: value for name, value in block.items() if name != "renamed_from"}
            for key, block in customer[kind].items()
        }
        for kind in ("groups", "spaces", "apps")
    }
    return {**customer, **blocks}


ANOTHER_KEY = without_renamed_from(RENAMED)
ANOTHER_KEY["groups"]["Analysts"] = ANOTHER_KEY["groups"].pop("Data Analysts")
ANOTHER_KEY["spaces"]["Revenue"]["access"] = ACCESS
"""The same without `renamed_from`, except for the group of the identity provider."""
GROUP_ALONE = changed(
    GLOBEX,
    (
        "groups",
        {
            "Data Analysts": {"name": "Analysts", "roles": ["AnalyticsAdmin"]},
            "Partners": GLOBEX["groups"]["Partners"],
        },
    ),
    ("spaces/Sales/access", {"Data Analysts": ACCESS["Analysts"]}),
)
"""A new key for that group, without `renamed_from`."""


def test_a_new_name_changes_in_place(stack: Stack, qlik: Emulator) -> None:
    """`name:` changes in place for everything that can be renamed. Ids, access and apps stay."""
    world = bring_up(stack, qlik, GLOBEX)
    outputs = stack.outputs()
    customer = changed(
        GLOBEX,
        ("name", "Globex Corporation"),
        ("groups/Partners/name", "Resellers"),
        ("spaces/Staging/name", "Imports"),
        ("spaces/Sales/name", "Revenue"),
        ("apps/Sales Overview/name", "Overview"),
    )
    stack.write(**settings(customer))
    done = stack.up()
    assert done.changes == {
        "update": [
            "App Sales Overview",
            "AppPublication Sales Overview in Sales",
            "Group Partners",
            "Space Sales",
            "Space Staging",
            "Tenant tenant",
        ],
        "same": 6,
    }
    assert [call for call in writes(done.requests) if call.startswith(("POST", "DELETE"))] == []
    assert len(writes(done.requests)) == 6
    assert stack.outputs() == outputs
    assert sorted(world.groups) == ["Analysts", "Resellers"]
    assert world.access == {("Revenue", "Analysts"): ["consumer", "contributor"]}
    assert world.apps.keys() == {("Imports", "Overview"), ("Revenue", "Overview")}
    assert world.tenant["name"] == "Globex Corporation"
    assert stack.up("--expect-no-changes").requests == []


def test_a_new_key_with_renamed_from_changes_nothing_at_qlik(stack: Stack, qlik: Emulator) -> None:
    """With `renamed_from:`, new keys change nothing at Qlik and send no request.

    After the `up`, you can remove the line. The name of an idp group is its identity, so there cannot be a
    second one, and the error asks you to add the line.
    """
    world = bring_up(stack, qlik, GLOBEX)
    at_qlik, ids, in_state = cloud(qlik), entries(stack), state(stack)
    stack.write(**settings(GROUP_ALONE))
    refused = stack.up(expect=1)
    assert refused.failed == ["Group Data Analysts"]
    assert any('add `renamed_from: "Analysts"` to the new entry' in error for error in refused.errors)
    assert (cloud(qlik), state(stack)) == (at_qlik, in_state)
    for customer in (RENAMED, without_renamed_from(RENAMED)):
        stack.write(**settings(customer))
        done = stack.up("--expect-no-changes")
        assert done.changes == {"same": 12}
        assert done.requests == []
        assert (cloud(qlik), entries(stack)) == (at_qlik, ids)
    assert "AppPublication Overview in Revenue" in resources(stack)
    assert stack.outputs()["spaces"] == {
        "Imports": world.spaces["Staging"]["id"],
        "Revenue": world.spaces["Sales"]["id"],
    }


def alive(world: World) -> dict[str, dict[Any, Any]]:
    """Return everything in the tenant, by kind and name."""
    return {"groups": world.groups, "spaces": world.spaces, "apps": world.apps, "access": world.access}


def test_a_new_key_without_renamed_from_is_a_new_object(stack: Stack, qlik: Emulator) -> None:
    """A new key is a new object next to the old one, which is deleted. No key gets the object of another key.

    If the old object still has the name, the next run sets it.
    """
    world = bring_up(stack, qlik, GLOBEX)
    before, old = alive(world), set(entries(stack))
    stack.write(**settings(ANOTHER_KEY))
    done = stack.up()
    assert set(done.changes["delete"]) == {  # type: ignore[arg-type]
        "App Sales Overview",
        "AppPublication Sales Overview in Sales",
        "Group Partners",
        "Space Sales",
        "Space Staging",
        "SpaceAssignment Analysts in Sales",
    }
    assert not any("taken over" in message for message in done.messages)
    assert {name.partition(" [moving ")[0] for name in world.spaces} == {"Sales", "Staging"}
    assert not before["spaces"].keys() & world.spaces.keys()
    assert any("Space Sales still has the name 'Sales'" in message for message in done.messages)
    set_now = stack.up()
    assert set_now.changes["update"] == ["Group Resellers", "Space Imports", "Space Revenue"]
    after = alive(world)
    assert {kind: found.keys() for kind, found in after.items()} == {
        kind: found.keys() for kind, found in before.items()
    }
    kept = {label.partition(" ")[0] for label in old & set(entries(stack))}
    assert kept == {"TenantProof", "Tenant", "TenantLifecycle", "TenantActivation", "Group"}
    assert after["groups"]["Analysts"] == before["groups"]["Analysts"]
    assert stack.up("--refresh", "--expect-no-changes").changes.keys() == {"same"}


def test_a_new_key_for_a_protected_object_is_refused(stack: Stack, qlik: Emulator) -> None:
    """A preview and an `up` of a production customer refuse it.

    Even a partial `up` does not touch protected objects. With the former file, the next `up` deletes its new
    objects.
    """
    production = {"lifecycle": {"kind": "production", "grace_days": 10}}
    world = bring_up(stack, qlik, {**GLOBEX, **production})
    before, in_state = alive(world), state(stack)
    space, app = world.spaces["Sales"], world.apps["Sales", "Sales Overview"]
    stack.write(**settings({**ANOTHER_KEY, **production}))
    for refused in (stack.preview(expect=1), stack.up(expect=1), stack.up(expect=1)):
        assert any("in Sales" in error and "protected" in error for error in refused.errors)
        assert (world.spaces["Sales"], world.apps["Sales", "Sales Overview"]) == (space, app)
    protected = {name for name, entry in state(stack).items() if entry.get("protect")}
    beside = protected - in_state.keys()
    assert beside == {"Space Revenue", "AppPublication Overview in Revenue"}
    assert protected - beside == {name for name, entry in in_state.items() if entry.get("protect")}

    stack.pulumi("state", "unprotect", *(urn(stack, name) for name in sorted(beside)), "--yes")
    stack.write(**settings({**GLOBEX, **production}))
    for _ in range(2):
        stack.up()
    after = alive(world)
    assert (after["spaces"]["Sales"], after["apps"]["Sales", "Sales Overview"]) == (space, app)
    assert {kind: found.keys() for kind, found in after.items()} == {
        kind: found.keys() for kind, found in before.items()
    }
    assert after["access"] == before["access"]
    assert state(stack).keys() == in_state.keys()
    assert stack.up("--expect-no-changes").requests == []
