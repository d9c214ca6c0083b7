"""Entries of a stack file swap names, shift them, or take them over in one change.

In any order of the engine, after at most two runs each entry still has its own object, with the new name.
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
AGAIN = "Run `pulumi up` again"
APP = {"template": "Sales Overview", "version": "2.3.0", "staging": "Staging", "data": False}


def customer(names: dict[str, str]) -> Customer:
    """Return a customer with a space, a group, a user and an app for each key, with its name."""
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
    """Return the id of each object by kind and key."""
    found = {name: str(resource["id"]) for name, resource in resources(stack).items()}
    return {
        name: id for name, id in found.items() if name.partition(" ")[0] in ("Space", "Group", "User", "App")
    }


def change(stack: Stack, world: World, names: dict[str, str], *args: str) -> None:
    """Rename the entries; after at most two runs, Qlik agrees with the file."""
    stack.write(**settings(customer(names)))
    messages = stack.up(*args).messages
    if any(AGAIN in message for message in messages):
        messages = stack.up(*args).messages
    assert not any(AGAIN in message for message in messages), "after two runs, a name is still taken"
    assert_named(world, ids(stack), names)
    held = entries(stack)
    assert len(held) == len(set(held)), "the state has an object twice"


def assert_named(world: World, held: dict[str, str], names: dict[str, str]) -> None:
    """Check that Qlik has exactly the objects of the state, each with the name of its key."""
    kinds: dict[str, dict[str, Any]] = {
        "Space": {space["id"]: space["name"] for space in world.every("space")},
        "Group": {group["id"]: group["name"] for group in world.groups.values()},
        "User": {
            user["id"]: user["email"].partition("@")[0]
            for user in world.every("user")
            if user["subject"].startswith("auth0|")
        },
        "App": {app["id"]: name for (_, name), app in world.apps.items()},
    }
    for kind, found in kinds.items():
        wanted = {held[f"{kind} {key}"]: name for key, name in names.items()}
        if kind == "Space":
            wanted[held["Space Staging"]] = "Staging"
        assert found == wanted, kind


EXCHANGED = {**START, "One": "b", "Two": "a"}
MOVED_ALONG = {"One": "a", "Two": "c", "Three": "d"}


@pytest.mark.parametrize(
    ("args", "changes"),
    [((), [EXCHANGED, MOVED_ALONG]), (("--parallel", "1"), [EXCHANGED])],
    ids=["at once", "one by one"],
)
def test_names_move_between_entries(
    stack: Stack, qlik: Emulator, args: tuple[str, ...], changes: list[dict[str, str]]
) -> None:
    """Two entries swap names; or one takes the name of another, which takes the name of a third. Ids stay."""
    stack.write(**settings(customer(START)))
    stack.up()
    world = World(qlik, resources(stack)["Tenant tenant"]["id"])
    before = ids(stack)
    assert_named(world, before, START)
    for names in changes:
        change(stack, world, names, *args)
        assert ids(stack) == before
    stack.up("--refresh", "--expect-no-changes")


def test_a_name_can_move_to_a_new_entry(stack: Stack, qlik: Emulator) -> None:
    """An entry is removed, and a new or existing one gets its name: no key gets the object of another key."""
    stack.write(**settings(customer({"One": "a", "Two": "b"})))
    stack.up()
    world = World(qlik, resources(stack)["Tenant tenant"]["id"])
    before = ids(stack)
    change(stack, world, {"Two": "b", "Three": "a"})
    new = {name: id for name, id in ids(stack).items() if name.endswith("Three")}
    assert not set(new.values()) & set(before.values())
    change(stack, world, {"Three": "b"})
    assert new.items() <= ids(stack).items()
    for kind, status in {"spaces": 409, "groups": 409, "users": 400}.items():
        qlik.control.add_fault(method="PATCH", path=f"/api/v1/{kind}/*", status=status, times=1)
    change(stack, world, {"Three": "e"})
    assert [fault["hit"] for fault in qlik.control.faults] == [1, 1, 1], "refused once, then the name is free"
    stack.up("--refresh", "--expect-no-changes")
