"""A run takes over existing objects if that is safe, and stops otherwise.

The second test covers other remarks that a run prints.
"""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tenantry.emulator.control_client import send
from tests.e2e.customers import GLOBEX, SOURCE_TENANT, Customer, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import HOUR, bring_up, resources
from tests.keys import public_pem
from tests.logins import ISSUER, token
from tests.world import World

LOGINS = with_changes(
    GLOBEX,
    ("group_settings", {"auto_create_groups": True}),
    ("jwt_identity_providers", {"portal": {"issuer": ISSUER, "kid": "key-1", "pem": public_pem()}}),
)
STOCK = {"template": "Inventory", "version": "1.0.0", "staging": "Existing"}
WITH_EXISTING_OBJECTS = with_changes(
    LOGINS,
    ("groups/Viewers", {"roles": ["Developer"]}),
    ("groups/Editors", {}),
    ("spaces/Existing", {"type": "shared"}),
    ("apps/Stock", STOCK),
)


def test_existing_objects_are_taken_over_only_if_safe(stack: Stack, qlik: Emulator) -> None:
    """The run takes over a group without roles, because a login may have created it. It prints a remark.

    It stops at a group with roles and at a space that an administrator created, unless `adopt` allows them.
    The bot user joins the space, so that the space accepts an import.
    """
    world = bring_up(stack, qlik, LOGINS)
    bearer = {"authorization": f"Bearer {token(groups=['Viewers', 'Editors'])}"}
    status, _ = send(qlik.url, "POST", world.hostname, "/login/jwt-session", headers=bearer)
    assert status == 200
    group_ids = {name: world.groups[name]["id"] for name in ("Viewers", "Editors")}
    world.patch(f"groups/{group_ids['Editors']}", assignedRoles=[{"name": "Steward"}])
    world.request("POST", "spaces", {"name": "Existing", "type": "shared"})
    before = world.groups["Editors"], world.spaces, world.apps

    stack.write(**settings(WITH_EXISTING_OBJECTS))
    refused = stack.up("--continue-on-error", expect=1)
    assert refused.failed == ["Group Editors", "Space Existing"]
    assert sum("Set `adopt: true`" in error for error in refused.errors) == 2
    assert (world.groups["Editors"], world.spaces, world.apps) == before
    assert any('Group "Viewers" already exists' in message for message in refused.messages)
    stack.write(
        **settings(
            with_changes(
                WITH_EXISTING_OBJECTS, ("groups/Editors/adopt", True), ("spaces/Existing/adopt", True)
            )
        )
    )
    result = stack.up()
    assert any("the bot user is a member (facilitator, producer)" in message for message in result.messages)
    assert {name: resources(stack)[f"Group {name}"]["id"] for name in group_ids} == group_ids
    assert [role["name"] for role in world.groups["Viewers"]["assignedRoles"]] == ["Developer"]
    assert world.groups["Editors"]["assignedRoles"] == []
    assert ("Existing", "Stock") in world.apps
    assert stack.up("--expect-no-changes").requests == []


def test_a_run_prints_remarks_with_the_next_step(stack: Stack, qlik: Emulator) -> None:
    """The messages are about an interrupted import, a deletion outside Pulumi, and a late `revive` line."""
    world = bring_up(stack, qlik, GLOBEX)
    app: dict[str, Any] = {"template": "Sales Overview", "version": "2.3.0", "staging": "Staging"}
    qlik.control.advance(2 * HOUR)  # only the objects that are created after this are listed late
    qlik.control.settings(items_lag_ms=3_600_000)
    qlik.control.add_fault(method="POST", path="/api/v1/apps/import", drop_after=True, times=1)
    stack.env["TENANTRY_LAG_SECONDS"] = "1"
    stack.write(**settings(with_changes(GLOBEX, ("apps/Second", app))))
    assert "its response was lost" in str(stack.up(expect=1).errors)
    qlik.control.settings(items_lag_ms=0)
    customer = with_changes(GLOBEX, ("apps/Second", {**app, "version": "2.4.0"}))
    stack.write(**settings(customer))
    result = stack.up()
    (leftover,) = [app for (_, name), app in world.apps.items() if name.startswith("Second [")]
    remarks = [message for message in result.messages if "left behind by an interrupted import" in message]
    assert any(leftover["id"] in message and "tenantry orphans" in message for message in remarks)
    assert world.apps["Staging", "Second"]["description"].endswith("{v2.4.0}")

    world.request("DELETE", f"groups/{world.groups['Partners']['id']}")
    customer = with_changes(customer, ("groups/Partners/description", "Those who sell it"))
    stack.write(**settings(customer))
    failed = stack.up(expect=1)
    assert failed.failed == ["Group Partners"]
    assert any("`pulumi up --refresh` detects that and creates it again" in error for error in failed.errors)
    stack.up("--refresh")
    assert world.groups["Partners"]["description"] == "Those who sell it"

    check_late_revive_line(stack, world, customer)


def check_late_revive_line(stack: Stack, world: World, customer: Customer) -> None:
    """Check that a line for another tenant causes only a remark, and a line for this tenant causes none."""
    other_tenant = {"hostname": SOURCE_TENANT, "tenant_id": "t"}
    stack.write(**settings({**customer, "revive": other_tenant}))
    result = stack.up("--expect-no-changes")
    (remark,) = {message for message in result.messages if "`revive` names" in message}
    for words in (SOURCE_TENANT, f"has tenant {world.hostname}", "it has no effect", "tenantry forget"):
        assert words in remark
    assert result.requests == []
    own_tenant = {"hostname": world.hostname, "tenant_id": world.tenant["id"]}
    stack.write(**settings({**customer, "revive": own_tenant}))
    assert not any("`revive`" in message for message in stack.up("--expect-no-changes").messages)
