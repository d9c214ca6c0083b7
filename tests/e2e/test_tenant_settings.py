"""Group and licence settings, web integrations, and the keys for logins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenantry.emulator import Emulator
from tenantry.emulator.control_client import send
from tenantry.providers.group_settings import EVERYONE
from tests.e2e.customers import GLOBEX, Customer, changed, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up
from tests.keys import public_pem
from tests.logins import ISSUER, token
from tests.pems import private_pem
from tests.world import World, calls, writes

PROGRAM = Path(__file__).parent / "programs" / "secret_key"
EVERYONES_ROLES = f"systemGroups/{EVERYONE}/assignedRoles"
BY_HAND = {
    "groups": {"autoCreateGroups": True, "syncIdpGroups": False, "everyone": ["Steward"]},
    "licences": {"autoAssignProfessional": False, "autoAssignAnalyzer": True},
}


def signer(name: str, kid: str, **more: Any) -> dict[str, Any]:
    """Return a JWT identity provider for a stack file."""
    return {"issuer": ISSUER, "kid": kid, "pem": public_pem(name), **more}


CUSTOMER = changed(
    GLOBEX,
    ("group_settings", {"auto_create_groups": False, "sync_idp_groups": True, "everyone_roles": []}),
    ("license_settings", {"auto_assign_analyzer": False}),
    ("web_integrations", {"Portal": {"origins": ["https://b.example", "https://a.example"]}}),
    ("jwt_identity_providers", {"signer": signer("one", "key-1", description="Portal")}),
)
AFTER = changed(
    CUSTOMER,
    (
        "group_settings",
        {"auto_create_groups": True, "sync_idp_groups": False, "everyone_roles": ["Developer"]},
    ),
    ("license_settings", {"auto_assign_analyzer": True, "auto_assign_professional": True}),
    ("web_integrations", {"Portal": {"name": "Customers", "origins": ["https://a.example"]}}),
    ("jwt_identity_providers/signer/description", "The portal of the customers"),
)
PLANNED = {
    "GroupSettings group settings": {
        "auto_create_groups": "update",
        "sync_idp_groups": "update",
        "everyone_roles[0]": "add",
    },
    "LicenseSettings license settings": {
        "auto_assign_analyzer": "update",
        "auto_assign_professional": "add",
    },
    "WebIntegration Portal": {"name": "update", "valid_origins[1]": "delete"},
    "JwtIdentityProvider signer": {"description": "update"},
}
DRIFTED = {
    "GroupSettings group settings": {
        "auto_create_groups": "update",
        "sync_idp_groups": "update",
        "everyone_roles[0]": "update",
    },
    "LicenseSettings license settings": {
        "auto_assign_analyzer": "update",
        "auto_assign_professional": "update",
    },
    "WebIntegration Portal": {"name": "update", "valid_origins[0]": "update"},
    "JwtIdentityProvider signer": {"description": "update"},
}


def held(world: World) -> dict[str, Any]:
    """Return all settings at Qlik."""
    groups = world.request("GET", "groups/settings")
    licences = world.request("GET", "licenses/settings")
    everyone = groups["systemGroups"][EVERYONE]["assignedRoles"]
    flags = {name: groups[name] for name in ("autoCreateGroups", "syncIdpGroups")}
    return {
        "groups": flags | {"everyone": sorted(role["name"] for role in everyone)},
        "licences": licences,
        "integrations": {
            integration["name"]: integration["validOrigins"] for integration in world.every("web-integration")
        },
        "keys": {
            provider["options"]["staticKeys"][0]["kid"]: provider["description"]
            for provider in world.every("identity-provider")
        },
    }


def meddle(world: World) -> None:
    """Change all settings, like a careless administrator."""
    roles = [{"name": "TenantAdmin"}]
    flags = {"autoCreateGroups": False, "syncIdpGroups": True}
    world.patch("groups/settings", **flags, **{EVERYONES_ROLES: roles})
    none = {"autoAssignProfessional": False, "autoAssignAnalyzer": False}
    world.request("PUT", "licenses/settings", none)
    [integration], [provider] = world.every("web-integration"), world.every("identity-provider")
    mine = {"name": "Mine", "validOrigins": ["https://mine.example"]}
    world.patch(f"web-integrations/{integration['id']}", **mine)
    world.patch(f"identity-providers/{provider['id']}", description="Mine")


def test_tenant_settings_are_changed_and_restored(stack: Stack, qlik: Emulator) -> None:
    """Create, keep, change, repair and restore the settings, and check the requests."""
    world = bring_up(stack, qlik, GLOBEX)
    world.patch("groups/settings", autoCreateGroups=True, **{EVERYONES_ROLES: [{"name": "Steward"}]})
    world.request("PUT", "licenses/settings", BY_HAND["licences"])
    before = held(world)
    assert before == BY_HAND | {"integrations": {}, "keys": {}}

    stack.write(**settings(CUSTOMER))
    assert stack.up().changes["create"] == sorted(PLANNED)
    assert held(world) == {
        "groups": {"autoCreateGroups": False, "syncIdpGroups": True, "everyone": []},
        "licences": {"autoAssignProfessional": False, "autoAssignAnalyzer": False},
        "integrations": {"Portal": ["https://a.example", "https://b.example"]},
        "keys": {"key-1": "Portal"},
    }
    [integration] = world.every("web-integration")
    assert stack.outputs()["web_integrations"] == {"Portal": integration["id"]}
    assert stack.up("--expect-no-changes").requests == []

    change_everything(stack, world)
    put_right(stack, world)

    stack.write(**settings(GLOBEX))
    removed = stack.up()
    assert removed.changes["delete"] == sorted(PLANNED)
    assert len(writes(removed.requests)) == len(PLANNED)
    assert held(world) == before
    assert stack.outputs()["web_integrations"] == {}


def change_everything(stack: Stack, world: World) -> None:
    """The preview shows every property, and each object needs one request."""
    stack.write(**settings(AFTER))
    preview = stack.preview("--diff")
    assert preview.diffs == PLANNED
    assert preview.changes["update"] == sorted(PLANNED)
    assert preview.requests == []
    up = stack.up()
    assert up.changes == preview.changes
    assert len(writes(up.requests)) == len(PLANNED)
    assert held(world) == {
        "groups": {"autoCreateGroups": True, "syncIdpGroups": False, "everyone": ["Developer"]},
        "licences": {"autoAssignProfessional": True, "autoAssignAnalyzer": True},
        "integrations": {"Customers": ["https://a.example"]},
        "keys": {"key-1": "The portal of the customers"},
    }


def put_right(stack: Stack, world: World) -> None:
    """A refresh finds exactly the changes outside Pulumi, and `up` reverts them."""
    wanted = held(world)
    meddle(world)
    preview = stack.preview("--refresh", "--diff")
    assert preview.diffs == DRIFTED
    assert writes(preview.requests) == []
    stack.up("--refresh")
    assert held(world) == wanted


def test_a_key_is_rotated_without_an_interruption_of_logins(stack: Stack, qlik: Emulator) -> None:
    """The key of an entry never changes. Two keys overlap, and the tokens of both are accepted."""
    one, two, three = signer("one", "key-1"), signer("two", "key-2"), signer("three", "key-3")
    world = with_keys(stack, qlik, {"signer": one})
    assert admitted(world) == ["key-1"]

    write(stack, {"signer": two})
    for command in (stack.preview, stack.up):
        refused = command(expect=None)
        assert refused.rc != 0
        for words in ("property kid value {key-2} has a problem: is 'key-1' and can", "problem: pem can"):
            [error] = [line for line in refused.errors if f"{words} never change" in line]
            assert "Add a second provider" in error
        assert refused.requests == []
    assert admitted(world) == ["key-1"]

    write(stack, {"signer": one, "next": two})
    assert stack.up().changes["create"] == ["JwtIdentityProvider next"]
    assert admitted(world) == ["key-1", "key-2"]
    write(stack, {"next": two})
    assert stack.up().changes["delete"] == ["JwtIdentityProvider signer"]
    assert admitted(world) == ["key-2"]

    write(stack, {"last": three})
    both = [call for call in writes(stack.up().requests) if "identity-providers" in call]
    assert [call.partition(" ")[0] for call in both] == ["POST", "DELETE"], (
        "the new one first, even in one run"
    )
    assert admitted(world) == ["key-3"]


def with_keys(stack: Stack, qlik: Emulator, keys: Customer) -> World:
    write(stack, keys)
    stack.up()
    return World(qlik, stack.outputs()["hostname"])


def write(stack: Stack, keys: Customer) -> None:
    stack.write(**settings(changed(GLOBEX, ("jwt_identity_providers", keys))))


def admitted(world: World) -> list[str]:
    """Return the key ids whose tokens are accepted."""
    found = []
    for name, kid in (("one", "key-1"), ("two", "key-2"), ("three", "key-3")):
        bearer = {"authorization": f"Bearer {token(name, kid=kid)}"}
        path = "/login/jwt-session"
        status, _ = send(world.qlik.url, "POST", world.hostname, path, headers=bearer)
        found += [kid] if status == 200 else []
    return found


def test_a_private_key_is_neither_shown_nor_stored(
    stack: Stack, make_stack: Callable[..., Stack], qlik: Emulator
) -> None:
    """The key is in a file that a stack file names, or in a custom program. The error never shows it."""
    (stack.file.parent / "signer.pem").write_text(private_pem())
    entry = {"issuer": ISSUER, "kid": "key-1", "pem_file": "signer.pem"}
    write(stack, {"signer": entry})
    direct = make_stack("direct", qlik=qlik, program=PROGRAM)
    for failed in (stack.up(expect=None), direct.preview(expect=None, SIGNING_KEY=private_pem())):
        assert failed.rc != 0
        assert "is a private key, and the public key is required" in "\n".join(failed.errors)
        assert "Traceback" not in failed.output
        assert failed.requests == []
    kept = [file for program in (stack, direct) for file in program.folder.rglob("*") if file.is_file()]
    leaks = [
        file.name for file in kept if private_pem().splitlines()[1] in file.read_text("utf-8", "replace")
    ]
    assert leaks == ["signer.pem"]
    assert calls(qlik.control.requests()) == []
