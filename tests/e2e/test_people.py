"""People: users, administrators from the source tenant, owners of spaces, and access to spaces."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import SOURCE_TENANT, TRIAL, settings, with_changes
from tests.e2e.harness import Stack
from tests.world import World, writes

CUSTOMER: dict[str, Any] = {
    "name": "Globex",
    "lifecycle": TRIAL,
    "users": {
        "Grace": {"subject": "auth0|grace", "email": "grace@globex.example", "roles": ["Developer"]},
        "Guest": {"subject": "auth0|guest", "name": "A guest"},
    },
    "admins": {"Support": {"email": "Ada@example.com"}},
    "spaces": {
        "Staging": {"type": "shared", "owner": "Support"},
        "Sales": {"type": "managed", "owner": "Grace", "user_access": {"Guest": ["consumer"]}},
        "Data": {"type": "data", "user_access": {"Grace": ["operator"], "Support": ["datapreview"]}},
    },
    "apps": {
        "Report": {
            "template": "Board Report",
            "version": "1.0.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
            "join_template_space": True,
        }
    },
}
AFTER = with_changes(
    CUSTOMER,
    ("users/Grace/email", "hopper@globex.example"),
    ("users/Grace/roles", ["AnalyticsAdmin", "Developer"]),
    ("users/Guest/name", "Guest"),
    ("users/Guest/status", "disabled"),
    ("admins", {"Support": {"subject": "auth0|ada"}, "Boss": {"subject": "auth0|boss"}}),
    ("spaces/Sales/owner", "Boss"),
    ("spaces/Data/user_access/Grace", ["operator", "producer"]),
)
CHANGES = {
    "User Grace": {"email": "update", "roles[0]": "update", "roles[1]": "add"},
    "User Guest": {"name": "update", "status": "update"},
    "Space Sales": {"owner": "update"},
    "SpaceAssignment user Grace in Data": {"roles[1]": "add"},
}


def people(world: World) -> dict[str, tuple[str, str, list[str]]]:
    """Return the name, status and roles of users by subject, without bots and the tests' administrator."""
    return {
        user["subject"]: (
            user["name"],
            user["status"],
            sorted(role["name"] for role in user["assignedRoles"]),
        )
        for user in world.every("user")
        if user["subject"].startswith("auth0|")
    }


def id_of(world: World, subject: str) -> str:
    return next(str(user["id"]) for user in world.every("user") if user["subject"] == subject)


def members(world: World) -> dict[tuple[str, str], list[str]]:
    """Return the sorted roles of people by space name and subject."""
    subjects = {user["id"]: user["subject"] for user in world.every("user")}
    spaces = {space["id"]: name for name, space in world.spaces.items()}
    return {
        (spaces[assignment["spaceId"]], subjects[assignment["assigneeId"]]): sorted(assignment["roles"])
        for assignment in world.every("assignment")
        if subjects.get(assignment["assigneeId"], "").startswith("auth0|")
    }


def owners(world: World) -> dict[str, str]:
    """Return the subjects of the owners of spaces, with `bot` for the bot user."""
    subjects = {user["id"]: user["subject"] for user in world.every("user")}
    return {
        name: subjects[space["ownerId"]].replace("qlikbot\\demo", "bot")
        for name, space in world.spaces.items()
    }


def test_people_are_created_changed_and_removed(stack: Stack, qlik: Emulator) -> None:
    """A removal takes back exactly what Tenantry gave to the people."""
    stack.write(**settings(CUSTOMER))
    stack.up()
    outputs = stack.outputs()
    world = World(qlik, outputs["hostname"])
    assert outputs["users"] == {"Grace": id_of(world, "auth0|grace"), "Guest": id_of(world, "auth0|guest")}
    assert outputs["admins"] == {"Support": id_of(world, "auth0|ada")}
    assert people(world) == {
        "auth0|ada": ("Ada Admin", "active", ["TenantAdmin"]),
        "auth0|grace": ("grace@globex.example", "active", ["Developer"]),
        "auth0|guest": ("A guest", "active", []),
    }
    assert owners(world) == {"Staging": "auth0|ada", "Sales": "auth0|grace", "Data": "bot"}
    access = {
        ("Sales", "auth0|guest"): ["consumer"],
        ("Data", "auth0|grace"): ["operator"],
        ("Data", "auth0|ada"): ["datapreview"],
    }
    assert members(world) == access
    assert world.apps.keys() == {("Staging", "Report"), ("Sales", "Report")}
    assert stack.up("--refresh", "--expect-no-changes").changes.keys() == {"same"}
    assert stack.up("--expect-no-changes").requests == []

    boss = {"subject": "auth0|boss", "name": "Boss", "email": "boss@example.com", "status": "active"}
    World(qlik, SOURCE_TENANT).request("POST", "users", boss)
    world.request("POST", "users", boss | {"assignedRoles": [{"name": "Steward"}]})
    check_changes(stack, world)
    check_drift(stack, world)
    check_removal(stack, world)


def check_changes(stack: Stack, world: World) -> None:
    """Change every property, and add an administrator who is already a user of the tenant."""
    stack.write(**settings(AFTER))
    preview = stack.preview("--diff")
    assert {name: diff for name, diff in preview.diffs.items() if name in CHANGES} == CHANGES
    assert preview.requests == []
    # A preview cannot tell that the new subject and the former address belong to the same person.
    assert preview.changes["replace"] == ["SpaceAssignment user Support in Data", "TenantAdmin Support"]
    support = id_of(world, "auth0|ada")
    stack.up()
    assert people(world) == {
        "auth0|ada": ("Ada Admin", "active", ["TenantAdmin"]),
        "auth0|boss": ("Boss", "active", ["Steward", "TenantAdmin"]),
        "auth0|grace": ("grace@globex.example", "active", ["AnalyticsAdmin", "Developer"]),
        "auth0|guest": ("Guest", "disabled", []),
    }
    assert id_of(world, "auth0|ada") == support
    assert owners(world)["Sales"] == "auth0|boss"
    assert members(world)["Data", "auth0|grace"] == ["operator", "producer"]
    assert stack.preview("--refresh", "--expect-no-changes").changes.keys() == {"same"}


def check_drift(stack: Stack, world: World) -> None:
    """Change each property outside Pulumi, and delete a user. `up --refresh` repairs everything."""
    before = people(world), owners(world), members(world)
    ids = {subject: id_of(world, f"auth0|{subject}") for subject in ("ada", "boss", "grace", "guest")}
    world.patch(f"users/{ids['ada']}", assignedRoles=[], status="disabled")
    world.patch(f"users/{ids['grace']}", assignedRoles=[{"name": "TenantAdmin"}], email="mine@example.com")
    world.patch(f"users/{ids['boss']}", name="The boss")
    world.patch(f"spaces/{world.spaces['Staging']['id']}", ownerId=ids["grace"])
    world.request("DELETE", f"users/{ids['guest']}")
    preview = stack.preview("--refresh", "--diff")
    assert preview.diffs == {
        "TenantAdmin Support": {"role": "update", "status": "update"},
        "User Grace": {"email": "update", "roles[0]": "update", "roles[1]": "add"},
        "Space Staging": {"owner": "update"},
    }
    deleted = {"SpaceAssignment user Guest in Sales", "User Guest"}
    assert set(preview.changes["create"]) == deleted  # type: ignore[arg-type]
    assert writes(preview.requests) == []
    stack.up("--refresh")
    current_people = people(world) | {"auth0|boss": before[0]["auth0|boss"]}
    assert (current_people, owners(world), members(world)) == before


def check_removal(stack: Stack, world: World) -> None:
    """Remove all people: users are deleted or get their former roles, and the bot user owns the spaces."""
    without_people = with_changes(AFTER, ("users", {}), ("admins", {}))
    for space in without_people["spaces"].values():
        space.pop("owner", None)
        space.pop("user_access", None)
    stack.write(**settings(without_people))
    up = stack.up()
    assert set(up.changes["delete"]) == {  # type: ignore[arg-type]
        "User Grace",
        "User Guest",
        "TenantAdmin Support",
        "TenantAdmin Boss",
        "SpaceAssignment user Guest in Sales",
        "SpaceAssignment user Grace in Data",
        "SpaceAssignment user Support in Data",
    }
    assert people(world) == {"auth0|boss": ("The boss", "active", ["Steward"])}
    assert set(owners(world).values()) == {"bot"}
    assert members(world) == {}
    assert stack.preview("--refresh", "--expect-no-changes").changes.keys() == {"same"}


def test_unknown_people_and_roles_are_reported(stack: Stack, qlik: Emulator) -> None:
    """Each gets one clear message, and the run creates the rest. After a correction, `up` continues."""
    broken = with_changes(
        CUSTOMER,
        ("admins/Support/email", "ada@example.org"),
        ("users/Guest/roles", ["developer"]),
        ("apps/Report/join_template_space", False),
    )
    stack.write(**settings(broken))
    failed = stack.up("--continue-on-error", expect=None)
    assert failed.rc != 0
    assert set(failed.failed) >= {"TenantAdmin Support", "User Guest"}
    errors = "\n".join(failed.errors)
    for words in (
        f"no user of {SOURCE_TENANT} has the e-mail address 'ada@example.org'",
        "(the closest is ada@example.com)",
        "'developer' (the closest is Developer)",
        "traceId",
    ):
        assert words in errors
    assert "Traceback" not in failed.output
    stack.write(**settings(CUSTOMER))
    stack.up()
    world = World(qlik, stack.outputs()["hostname"])
    assert people(world).keys() == {"auth0|ada", "auth0|grace", "auth0|guest"}
    assert stack.up("--expect-no-changes").requests == []


def test_a_new_subject_is_a_new_user(stack: Stack, qlik: Emulator) -> None:
    """All references move to the new user. An administrator can become a plain user."""
    customer = with_changes(CUSTOMER, ("apps", {}), ("spaces/Data/user_access", {"Guest": ["operator"]}))
    stack.write(**settings(customer))
    stack.up()
    world = World(qlik, stack.outputs()["hostname"])
    ada = id_of(world, "auth0|ada")
    users = {
        "Grace": CUSTOMER["users"]["Grace"] | {"subject": "auth0|hopper"},
        "Guest": CUSTOMER["users"]["Guest"] | {"subject": "auth0|visitor"},
        "Support": {"subject": "auth0|ada"},
    }
    stack.write(**settings(with_changes(customer, ("users", users), ("admins", {}))))
    up = stack.up()
    assert up.changes["replace"] == [
        "SpaceAssignment user Guest in Data",
        "SpaceAssignment user Guest in Sales",
        "User Grace",
        "User Guest",
    ]
    assert people(world) == {
        "auth0|ada": ("Ada Admin", "active", []),
        "auth0|hopper": ("grace@globex.example", "active", ["Developer"]),
        "auth0|visitor": ("A guest", "active", []),
    }
    assert id_of(world, "auth0|ada") == ada
    assert owners(world) == {"Staging": "auth0|ada", "Sales": "auth0|hopper", "Data": "bot"}
    assert members(world) == {
        ("Data", "auth0|visitor"): ["operator"],
        ("Sales", "auth0|visitor"): ["consumer"],
    }
    assert stack.preview("--refresh", "--expect-no-changes").changes.keys() == {"same"}
