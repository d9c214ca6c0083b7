"""Entries of a stack file swap names, shift them, or take over each other's names in one change.

The engine may run the steps in any order. After at most two runs, each entry still has its own object, and
the object has the new name.
"""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.e2e.customers import TRIAL, Customer, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import entries, resources
from tests.world import World

START = {"One": "a", "Two": "b", "Three": "c"}
RUN_AGAIN = "Run `pulumi up` again"
APP = {"template": "Sales Overview", "version": "2.3.0", "staging": "Staging", "data": False}


def customer(names: dict[str, str]) -> Customer:
    """Return a customer with a space, a group, a user and an app of the given name for each key."""
    return {
        "name": "Globex",
        "lifecycle": TRIAL,
        "spaces": {"Staging": {"type": "shared"}}
        | {key: {"type": "managed", "name": name} for key, name in names.items()},
        "groups": {key: {"provider_type": "custom", "name": name} for key, name in names.items()},
        "users": {
            key: {"subject": f"auth0|{key}", "email": f"{name}@globex.example"} for key, name in names.items()
        },
        "apps": {key: {**APP, "name": name} for key, name in names.items()},
    }


def ids(stack: Stack) -> dict[str, str]:
    """Return the id of each object by type and key."""
    ids_by_name = {name: str(resource["id"]) for name, resource in resources(stack).items()}
    return {
        name: id
        for name, id in ids_by_name.items()
        if name.partition(" ")[0] in ("Space", "Group", "User", "App")
    }


def rename_entries(stack: Stack, world: World, names: dict[str, str], *args: str) -> None:
    """Rename the entries. Check that Qlik agrees with the file after at most two runs."""
    stack.write(**settings(customer(names)))
    messages = stack.up(*args).messages
    if any(RUN_AGAIN in message for message in messages):
        messages = stack.up(*args).messages
    assert not any(RUN_AGAIN in message for message in messages), "after two runs, a name is still taken"
    assert_named(world, ids(stack), names)
    entries_of_state = entries(stack)
    assert len(entries_of_state) == len(set(entries_of_state)), "the state has an object twice"


def assert_named(world: World, ids_in_state: dict[str, str], names: dict[str, str]) -> None:
    """Check that Qlik has exactly the objects of the state, each with the name of its key."""
    objects_by_type: dict[str, dict[str, Any]] = {
        "Space": {space["id"]: space["name"] for space in world.every("space")},
        "Group": {group["id"]: group["name"] for group in world.groups.values()},
        "User": {
            user["id"]: user["email"].partition("@")[0]
            for user in world.every("user")
            if user["subject"].startswith("auth0|")
        },
        "App": {app["id"]: name for (_, name), app in world.apps.items()},
    }
    for resource_type, names_by_id in objects_by_type.items():
        expected = {ids_in_state[f"{resource_type} {key}"]: name for key, name in names.items()}
        if resource_type == "Space":
            expected[ids_in_state["Space Staging"]] = "Staging"
        assert names_by_id == expected, resource_type


SWAPPED = {**START, "One": "b", "Two": "a"}
SHIFTED = {"One": "a", "Two": "c", "Three": "d"}


@pytest.mark.parametrize(
    ("args", "changes"),
    [((), [SWAPPED, SHIFTED]), (("--parallel", "1"), [SWAPPED])],
    ids=["parallel steps", "one step at a time"],
)
def test_entries_that_exchange_names_keep_their_objects(
    stack: Stack, qlik: Emulator, args: tuple[str, ...], changes: list[dict[str, str]]
) -> None:
    """Two entries swap names, or each entry takes the name of the next one."""
    stack.write(**settings(customer(START)))
    stack.up()
    world = World(qlik, resources(stack)["Tenant tenant"]["id"])
    before = ids(stack)
    assert_named(world, before, START)
    for names in changes:
        rename_entries(stack, world, names, *args)
        assert ids(stack) == before
    stack.up("--refresh", "--expect-no-changes")


def test_an_entry_with_the_name_of_a_removed_one_gets_its_own_object(stack: Stack, qlik: Emulator) -> None:
    """The entry that gets the name is either new or an existing one."""
    stack.write(**settings(customer({"One": "a", "Two": "b"})))
    stack.up()
    world = World(qlik, resources(stack)["Tenant tenant"]["id"])
    before = ids(stack)
    rename_entries(stack, world, {"Two": "b", "Three": "a"})
    new_ids = {name: id for name, id in ids(stack).items() if name.endswith("Three")}
    assert not set(new_ids.values()) & set(before.values())
    rename_entries(stack, world, {"Three": "b"})
    assert new_ids.items() <= ids(stack).items()
    for collection, status in {"spaces": 409, "groups": 409, "users": 400}.items():
        qlik.control.add_fault(method="PATCH", path=f"/api/v1/{collection}/*", status=status, times=1)
    rename_entries(stack, world, {"Three": "e"})
    assert [fault["hit"] for fault in qlik.control.faults] == [1, 1, 1], "Qlik must refuse each name once"
    stack.up("--refresh", "--expect-no-changes")
