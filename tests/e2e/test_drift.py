"""Drift: objects that somebody changed or deleted at Qlik."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up
from tests.world import World, writes

CUSTOMER = with_changes(
    GLOBEX,
    ("spaces/Partners", {"type": "managed", "access": {"Partners": ["consumer"]}}),
    ("apps/Sales Overview/publish_to", ["Sales", "Partners"]),
    ("tenant", {"enable_app_opening_feedback": True}),
)
DRIFTED = {
    "Tenant tenant": {
        "name": "update",
        "alias": "update",
        "enable_app_opening_feedback": "update",
    },
    "Group Analysts": {"roles[0]": "update", "roles[1]": "delete"},
    "Group Partners": {"name": "update", "description": "update"},
    "Space Staging": {"description": "update"},
    "Space Sales": {"name": "update"},
    "SpaceAssignment Analysts in Sales": {"roles[0]": "update", "roles[1]": "add"},
    "App Sales Overview": {"name": "update", "description": "update", "space": "update"},
    "AppPublication Sales Overview in Sales": {"name": "update", "description": "update"},
}


def change_everything(world: World) -> None:
    """Change an object of each type outside Pulumi, like a careless administrator."""
    groups, spaces, apps = world.groups, world.spaces, world.apps
    tenant = {"name": "Mine", "hostnames/1": "mine.eu.qlikcloud.com", "enableAppOpeningFeedback": False}
    world.patch(f"tenants/{world.tenant['id']}", **tenant)
    roles = [{"name": "TenantAdmin"}, {"name": "Developer"}]
    world.patch(f"groups/{groups['Analysts']['id']}", assignedRoles=roles)
    world.patch(f"groups/{groups['Partners']['id']}", name="Friends", description="")
    assignment = world.assignment("Sales", "Analysts")["id"]
    path = f"spaces/{spaces['Sales']['id']}/assignments/{assignment}"
    world.request("PUT", path, {"roles": ["publisher"]})
    for name in ("Staging", "Sales"):
        world.join(spaces[name]["id"])
    attributes = {"attributes": {"name": "Mine", "description": "Edited"}}
    world.request("PUT", f"apps/{apps['Staging', 'Sales Overview']['id']}", attributes)
    world.request("PUT", f"apps/{apps['Sales', 'Sales Overview']['id']}", attributes)
    personal = world.request("POST", "spaces", {"name": "My corner", "type": "shared"})["id"]
    world.request("PUT", f"apps/{apps['Staging', 'Sales Overview']['id']}/space", {"spaceId": personal})
    world.patch(f"spaces/{spaces['Staging']['id']}", description="All welcome")
    world.patch(f"spaces/{spaces['Sales']['id']}", name="My space")


def test_changes_outside_pulumi_are_shown_and_repaired(stack: Stack, qlik: Emulator) -> None:
    """A preview with refresh names exactly the changed properties. An `up` with refresh restores them."""
    world = bring_up(stack, qlik, CUSTOMER)
    before = fingerprint(world)
    change_everything(world)
    assert fingerprint(world) != before

    preview = stack.preview("--refresh", "--diff")
    assert preview.diffs == DRIFTED
    assert writes(preview.requests) == []
    up = stack.up("--refresh")
    # Each object appears twice: for its refresh and for its update.
    assert up.changes["update"] == sorted([*DRIFTED, *DRIFTED])
    assert not {"create", "delete", "replace"} & up.changes.keys()
    assert fingerprint(world) == before
    assert stack.up("--expect-no-changes").requests == []


def test_objects_deleted_outside_pulumi_are_restored(stack: Stack, qlik: Emulator) -> None:
    """This includes a space with its whole content."""
    world = bring_up(stack, qlik, CUSTOMER)
    outputs = stack.outputs()
    before = fingerprint(world)
    delete_objects(world)

    preview = stack.preview("--refresh")
    missing = {
        "Group Analysts",
        "Space Partners",
        "SpaceAssignment Analysts in Sales",
        "SpaceAssignment Partners in Partners",
        "App Sales Overview",
        "AppPublication Sales Overview in Partners",
    }
    assert set(preview.changes["create"]) == missing  # type: ignore[arg-type]
    up = stack.up("--refresh")
    assert set(up.changes["create"]) == missing  # type: ignore[arg-type]
    assert fingerprint(world) == before
    published = stack.outputs()["apps"]["Sales Overview"]
    assert published["Sales"] == outputs["apps"]["Sales Overview"]["Sales"], (
        "the other published app must stay unchanged"
    )
    assert published["Partners"]["id"] != outputs["apps"]["Sales Overview"]["Partners"]["id"]
    assert stack.up("--expect-no-changes").requests == []


def delete_objects(world: World) -> None:
    """Delete an object of each type, and a space with its whole content."""
    spaces, apps = world.spaces, world.apps
    world.request("DELETE", f"apps/{apps['Staging', 'Sales Overview']['id']}")
    world.request("DELETE", f"apps/{apps['Partners', 'Sales Overview']['id']}")
    world.request("DELETE", f"spaces/{spaces['Partners']['id']}")
    assignment = world.assignment("Sales", "Analysts")["id"]
    world.request("DELETE", f"spaces/{spaces['Sales']['id']}/assignments/{assignment}")
    world.request("DELETE", f"groups/{world.groups['Analysts']['id']}")


def fingerprint(world: World) -> dict[str, object]:
    """Return the content of a customer's tenant without ids and dates."""
    apps = world.apps
    origin = {app["id"]: key for key, app in apps.items()}
    return {
        "tenant": {key: world.tenant[key] for key in ("name", "hostnames", "enableAppOpeningFeedback")},
        "groups": {
            name: (
                group["providerType"],
                group.get("description", ""),
                sorted(map(str, group["assignedRoles"])),
            )
            for name, group in world.groups.items()
        },
        "spaces": {
            name: (space["type"], space.get("description", ""))
            for name, space in world.spaces.items()
            if name != "My corner"
        },
        "access": world.access,
        "apps": {key: (app["description"], origin.get(app["originAppId"])) for key, app in apps.items()},
    }
