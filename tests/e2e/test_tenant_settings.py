"""Group and licence settings, web integrations, and the keys for logins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenantry.emulator import Emulator
from tenantry.emulator.control_client import send
from tenantry.providers.group_settings import EVERYONE
from tests.e2e.customers import GLOBEX, Customer, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up
from tests.keys import public_pem
from tests.logins import ISSUER, token
from tests.pems import private_pem
from tests.world import World, calls, writes

PROGRAM = Path(__file__).parent / "programs" / "secret_key"
EVERYONES_ROLES = f"systemGroups/{EVERYONE}/assignedRoles"
SETTINGS_BEFORE = {
    "groups": {"autoCreateGroups": True, "syncIdpGroups": False, "everyone": ["Steward"]},
    "licences": {"autoAssignProfessional": False, "autoAssignAnalyzer": True},
}


def signer(name: str, kid: str, **attributes: Any) -> dict[str, Any]:
    """Return a JWT identity provider for a stack file."""
    return {"issuer": ISSUER, "kid": kid, "pem": public_pem(name), **attributes}


CUSTOMER = with_changes(
    GLOBEX,
    ("group_settings", {"auto_create_groups": False, "sync_idp_groups": True, "everyone_roles": []}),
    ("license_settings", {"auto_assign_analyzer": False}),
    ("web_integrations", {"Portal": {"origins": ["https://b.example", "https://a.example"]}}),
    ("jwt_identity_providers", {"signer": signer("one", "key-1", description="Portal")}),
)
AFTER = with_changes(
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


def settings_at_qlik(world: World) -> dict[str, Any]:
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


def change_outside_pulumi(world: World) -> None:
    """Change all settings outside Pulumi, like a careless administrator."""
    roles = [{"name": "TenantAdmin"}]
    flags = {"autoCreateGroups": False, "syncIdpGroups": True}
    world.patch("groups/settings", **flags, **{EVERYONES_ROLES: roles})
    all_off = {"autoAssignProfessional": False, "autoAssignAnalyzer": False}
    world.request("PUT", "licenses/settings", all_off)
    [integration], [provider] = world.every("web-integration"), world.every("identity-provider")
    changed_integration = {"name": "Mine", "validOrigins": ["https://mine.example"]}
    world.patch(f"web-integrations/{integration['id']}", **changed_integration)
    world.patch(f"identity-providers/{provider['id']}", description="Mine")


def test_tenant_settings_are_changed_and_restored(stack: Stack, qlik: Emulator) -> None:
    """Without the blocks in the stack file, the settings get the values from before the first `up`."""
    world = bring_up(stack, qlik, GLOBEX)
    world.patch("groups/settings", autoCreateGroups=True, **{EVERYONES_ROLES: [{"name": "Steward"}]})
    world.request("PUT", "licenses/settings", SETTINGS_BEFORE["licences"])
    before = settings_at_qlik(world)
    assert before == SETTINGS_BEFORE | {"integrations": {}, "keys": {}}

    stack.write(**settings(CUSTOMER))
    assert stack.up().changes["create"] == sorted(PLANNED)
    assert settings_at_qlik(world) == {
        "groups": {"autoCreateGroups": False, "syncIdpGroups": True, "everyone": []},
        "licences": {"autoAssignProfessional": False, "autoAssignAnalyzer": False},
        "integrations": {"Portal": ["https://a.example", "https://b.example"]},
        "keys": {"key-1": "Portal"},
    }
    [integration] = world.every("web-integration")
    assert stack.outputs()["web_integrations"] == {"Portal": integration["id"]}
    assert stack.up("--expect-no-changes").requests == []

    check_changes(stack, world)
    check_drift(stack, world)

    stack.write(**settings(GLOBEX))
    removed = stack.up()
    assert removed.changes["delete"] == sorted(PLANNED)
    assert len(writes(removed.requests)) == len(PLANNED)
    assert settings_at_qlik(world) == before
    assert stack.outputs()["web_integrations"] == {}


def check_changes(stack: Stack, world: World) -> None:
    """Check that the preview shows every changed property, and that each object needs one request."""
    stack.write(**settings(AFTER))
    preview = stack.preview("--diff")
    assert preview.diffs == PLANNED
    assert preview.changes["update"] == sorted(PLANNED)
    assert preview.requests == []
    up = stack.up()
    assert up.changes == preview.changes
    assert len(writes(up.requests)) == len(PLANNED)
    assert settings_at_qlik(world) == {
        "groups": {"autoCreateGroups": True, "syncIdpGroups": False, "everyone": ["Developer"]},
        "licences": {"autoAssignProfessional": True, "autoAssignAnalyzer": True},
        "integrations": {"Customers": ["https://a.example"]},
        "keys": {"key-1": "The portal of the customers"},
    }


def check_drift(stack: Stack, world: World) -> None:
    """Check that a refresh finds exactly the changes outside Pulumi, and that `up` reverts them."""
    before_drift = settings_at_qlik(world)
    change_outside_pulumi(world)
    preview = stack.preview("--refresh", "--diff")
    assert preview.diffs == DRIFTED
    assert writes(preview.requests) == []
    stack.up("--refresh")
    assert settings_at_qlik(world) == before_drift


def test_a_key_rotation_does_not_interrupt_logins(stack: Stack, qlik: Emulator) -> None:
    """The key of an entry cannot change. During a rotation, Qlik accepts the tokens of two keys."""
    one, two, three = signer("one", "key-1"), signer("two", "key-2"), signer("three", "key-3")
    world = create_with_keys(stack, qlik, {"signer": one})
    assert accepted_keys(world) == ["key-1"]

    write(stack, {"signer": two})
    for command in (stack.preview, stack.up):
        refused = command(expect=None)
        assert refused.rc != 0
        for words in ("property kid value {key-2} has a problem: is 'key-1' and can", "problem: pem can"):
            [error] = [line for line in refused.errors if f"{words} never change" in line]
            assert "Add a second provider" in error
        assert refused.requests == []
    assert accepted_keys(world) == ["key-1"]

    write(stack, {"signer": one, "next": two})
    assert stack.up().changes["create"] == ["JwtIdentityProvider next"]
    assert accepted_keys(world) == ["key-1", "key-2"]
    write(stack, {"next": two})
    assert stack.up().changes["delete"] == ["JwtIdentityProvider signer"]
    assert accepted_keys(world) == ["key-2"]

    write(stack, {"last": three})
    provider_writes = [call for call in writes(stack.up().requests) if "identity-providers" in call]
    assert [call.partition(" ")[0] for call in provider_writes] == ["POST", "DELETE"], (
        "even one run must create the new provider first"
    )
    assert accepted_keys(world) == ["key-3"]


def create_with_keys(stack: Stack, qlik: Emulator, keys: Customer) -> World:
    write(stack, keys)
    stack.up()
    return World(qlik, stack.outputs()["hostname"])


def write(stack: Stack, keys: Customer) -> None:
    stack.write(**settings(with_changes(GLOBEX, ("jwt_identity_providers", keys))))


def accepted_keys(world: World) -> list[str]:
    """Return the ids of the keys whose tokens Qlik accepts."""
    accepted = []
    for name, kid in (("one", "key-1"), ("two", "key-2"), ("three", "key-3")):
        bearer = {"authorization": f"Bearer {token(name, kid=kid)}"}
        path = "/login/jwt-session"
        status, _ = send(world.qlik.url, "POST", world.hostname, path, headers=bearer)
        accepted += [kid] if status == 200 else []
    return accepted


def test_a_private_key_is_never_shown_or_stored(
    stack: Stack, make_stack: Callable[..., Stack], qlik: Emulator
) -> None:
    """The key is in a file that a stack file names, or a custom program passes it to a resource."""
    (stack.file.parent / "signer.pem").write_text(private_pem())
    entry = {"issuer": ISSUER, "kid": "key-1", "pem_file": "signer.pem"}
    write(stack, {"signer": entry})
    direct = make_stack("direct", qlik=qlik, program=PROGRAM)
    for failed in (stack.up(expect=None), direct.preview(expect=None, SIGNING_KEY=private_pem())):
        assert failed.rc != 0
        assert "is a private key, and the public key is required" in "\n".join(failed.errors)
        assert "Traceback" not in failed.output
        assert failed.requests == []
    files = [file for program in (stack, direct) for file in program.folder.rglob("*") if file.is_file()]
    leaks = [
        file.name for file in files if private_pem().splitlines()[1] in file.read_text("utf-8", "replace")
    ]
    assert leaks == ["signer.pem"]
    assert calls(qlik.control.requests()) == []
