"""New names of objects at Qlik, and new keys of objects in the stack file."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, settings, with_changes
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
        block_name: {
            key: {name: value for name, value in entry_settings.items() if name != "renamed_from"}
            for key, entry_settings in customer[block_name].items()
        }
        for block_name in ("groups", "spaces", "apps")
    }
    return {**customer, **blocks}


NEW_KEYS = without_renamed_from(RENAMED)
NEW_KEYS["groups"]["Analysts"] = NEW_KEYS["groups"].pop("Data Analysts")
NEW_KEYS["spaces"]["Revenue"]["access"] = ACCESS
"""The same without `renamed_from`. Only the key of the idp group is unchanged."""
NEW_GROUP_KEY = with_changes(
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
"""`GLOBEX` with a new key for the idp group, without `renamed_from`."""


def test_a_new_name_changes_the_object_in_place(stack: Stack, qlik: Emulator) -> None:
    """Ids, access and apps stay the same."""
    world = bring_up(stack, qlik, GLOBEX)
    outputs = stack.outputs()
    customer = with_changes(
        GLOBEX,
        ("name", "Globex Corporation"),
        ("groups/Partners/name", "Resellers"),
        ("spaces/Staging/name", "Imports"),
        ("spaces/Sales/name", "Revenue"),
        ("apps/Sales Overview/name", "Overview"),
    )
    stack.write(**settings(customer))
    result = stack.up()
    assert result.changes == {
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
    assert [call for call in writes(result.requests) if call.startswith(("POST", "DELETE"))] == []
    assert len(writes(result.requests)) == 6
    assert stack.outputs() == outputs
    assert sorted(world.groups) == ["Analysts", "Resellers"]
    assert world.access == {("Revenue", "Analysts"): ["consumer", "contributor"]}
    assert world.apps.keys() == {("Imports", "Overview"), ("Revenue", "Overview")}
    assert world.tenant["name"] == "Globex Corporation"
    assert stack.up("--expect-no-changes").requests == []


def test_a_new_key_with_renamed_from_keeps_the_object(stack: Stack, qlik: Emulator) -> None:
    """The new keys change nothing at Qlik and cause no request. After the `up`, you can remove the line.

    The name of an idp group is its identity, so there is no second group. The error names the line to add.
    """
    world = bring_up(stack, qlik, GLOBEX)
    at_qlik, ids, in_state = cloud(qlik), entries(stack), state(stack)
    stack.write(**settings(NEW_GROUP_KEY))
    refused = stack.up(expect=1)
    assert refused.failed == ["Group Data Analysts"]
    assert any('add `renamed_from: "Analysts"` to the new entry' in error for error in refused.errors)
    assert (cloud(qlik), state(stack)) == (at_qlik, in_state)
    for customer in (RENAMED, without_renamed_from(RENAMED)):
        stack.write(**settings(customer))
        result = stack.up("--expect-no-changes")
        assert result.changes == {"same": 12}
        assert result.requests == []
        assert (cloud(qlik), entries(stack)) == (at_qlik, ids)
    assert "AppPublication Overview in Revenue" in resources(stack)
    assert stack.outputs()["spaces"] == {
        "Imports": world.spaces["Staging"]["id"],
        "Revenue": world.spaces["Sales"]["id"],
    }


def tenant_content(world: World) -> dict[str, dict[Any, Any]]:
    """Return the objects in the tenant by type and name."""
    return {"groups": world.groups, "spaces": world.spaces, "apps": world.apps, "access": world.access}


def test_a_new_key_without_renamed_from_is_a_new_object(stack: Stack, qlik: Emulator) -> None:
    """The run deletes the old object. No key gets the object of another key.

    If the old object still has the name during the run, the next run sets the name.
    """
    world = bring_up(stack, qlik, GLOBEX)
    before, old_entries = tenant_content(world), set(entries(stack))
    stack.write(**settings(NEW_KEYS))
    result = stack.up()
    assert set(result.changes["delete"]) == {  # type: ignore[arg-type]
        "App Sales Overview",
        "AppPublication Sales Overview in Sales",
        "Group Partners",
        "Space Sales",
        "Space Staging",
        "SpaceAssignment Analysts in Sales",
    }
    assert not any("taken over" in message for message in result.messages)
    assert {name.partition(" [moving ")[0] for name in world.spaces} == {"Sales", "Staging"}
    assert not before["spaces"].keys() & world.spaces.keys()
    assert any("Space Sales still has the name 'Sales'" in message for message in result.messages)
    second_up = stack.up()
    assert second_up.changes["update"] == ["Group Resellers", "Space Imports", "Space Revenue"]
    after = tenant_content(world)
    assert {name: objects.keys() for name, objects in after.items()} == {
        name: objects.keys() for name, objects in before.items()
    }
    unchanged_types = {label.partition(" ")[0] for label in old_entries & set(entries(stack))}
    assert unchanged_types == {"TenantProof", "Tenant", "TenantLifecycle", "TenantActivation", "Group"}
    assert after["groups"]["Analysts"] == before["groups"]["Analysts"]
    assert stack.up("--refresh", "--expect-no-changes").changes.keys() == {"same"}


def test_a_new_key_for_a_protected_object_is_refused(stack: Stack, qlik: Emulator) -> None:
    """The refused `up` may create new objects, but it does not touch the protected ones.

    With the former file, the next `up` deletes the new objects.
    """
    production = {"lifecycle": {"kind": "production", "grace_days": 10}}
    world = bring_up(stack, qlik, {**GLOBEX, **production})
    before, in_state = tenant_content(world), state(stack)
    space, app = world.spaces["Sales"], world.apps["Sales", "Sales Overview"]
    stack.write(**settings({**NEW_KEYS, **production}))
    for refused in (stack.preview(expect=1), stack.up(expect=1), stack.up(expect=1)):
        assert any("in Sales" in error and "protected" in error for error in refused.errors)
        assert (world.spaces["Sales"], world.apps["Sales", "Sales Overview"]) == (space, app)
    protected = {name for name, entry in state(stack).items() if entry.get("protect")}
    new_protected = protected - in_state.keys()
    assert new_protected == {"Space Revenue", "AppPublication Overview in Revenue"}
    assert protected - new_protected == {name for name, entry in in_state.items() if entry.get("protect")}

    stack.pulumi("state", "unprotect", *(urn(stack, name) for name in sorted(new_protected)), "--yes")
    stack.write(**settings({**GLOBEX, **production}))
    for _ in range(2):
        stack.up()
    after = tenant_content(world)
    assert (after["spaces"]["Sales"], after["apps"]["Sales", "Sales Overview"]) == (space, app)
    assert {name: objects.keys() for name, objects in after.items()} == {
        name: objects.keys() for name, objects in before.items()
    }
    assert after["access"] == before["access"]
    assert state(stack).keys() == in_state.keys()
    assert stack.up("--expect-no-changes").requests == []
