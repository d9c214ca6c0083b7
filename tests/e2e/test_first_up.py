"""The first `up` creates a customer's tenant, and the second one has nothing to do."""

from __future__ import annotations

import socket

from tenantry.emulator import Emulator
from tests.e2e.harness import Stack
from tests.world import World

STACK_FILE = """\
config:
  qlik:region: eu
  qlik:source_tenant: templates.eu.qlikcloud.com
  tenantry:customer:
    name: Globex
    alias: globex
    lifecycle: {kind: trial, ends_on: 2999-12-31, grace_days: 10}
    groups:
      Analysts: {roles: [AnalyticsAdmin]}
      Viewers:
    spaces:
      Staging: {type: shared}
      Sales: {type: managed, access: {Analysts: [consumer, contributor], Viewers: [consumer]}}
      Partners: {type: managed, access: {Viewers: [consumer]}}
    apps:
      Sales Overview:
        template: Sales Overview
        version: "2.3.0"
        staging: Staging
        publish_to: [Sales, Partners]
"""

RESOURCES = {
    "QlikCustomerTenant globex",
    "TenantProof proof",
    "Tenant tenant",
    "Group Analysts",
    "Group Viewers",
    "Space Staging",
    "Space Sales",
    "Space Partners",
    "SpaceAssignment Analysts in Sales",
    "SpaceAssignment Viewers in Sales",
    "SpaceAssignment Viewers in Partners",
    "App Sales Overview",
    "AppPublication Sales Overview in Sales",
    "AppPublication Sales Overview in Partners",
    "TenantLifecycle lifecycle",
    "TenantActivation activation",
}


def test_one_short_file_creates_a_customer(stack: Stack, qlik: Emulator) -> None:
    """The outputs name the new objects. Another `up` or a preview has nothing to do and sends no request."""
    assert len(STACK_FILE.splitlines()) <= 20
    stack.write(text=STACK_FILE)
    assert stack.up().changes == {"create": sorted(RESOURCES)}

    outputs = stack.outputs()
    world = World(qlik, outputs["hostname"])
    assert outputs == expected_outputs(world)
    assert world.access == {
        ("Sales", "Analysts"): ["consumer", "contributor"],
        ("Sales", "Viewers"): ["consumer"],
        ("Partners", "Viewers"): ["consumer"],
    }
    assert [role["name"] for role in world.groups["Analysts"]["assignedRoles"]] == ["AnalyticsAdmin"]
    staged = world.apps["Staging", "Sales Overview"]
    assert staged["description"].endswith("{v2.3.0}")
    for space in ("Sales", "Partners"):
        copy = world.apps[space, "Sales Overview"]
        assert copy["publishTime"]
        assert copy["originAppId"] == staged["id"]
        assert copy["description"] == "{v2.3.0}"
    assert qlik.control.health()["unknown"] == []

    second_up = stack.up()
    assert second_up.changes == {"same": len(RESOURCES)}
    assert second_up.requests == []
    assert stack.resources().keys() == RESOURCES
    assert_preview_works_offline(stack)


def expected_outputs(world: World) -> dict[str, object]:
    """Return the outputs that Qlik's content implies."""
    copies = {
        space: {"id": app["id"], "url": f"https://{world.hostname}/sense/app/{app['id']}"}
        for (space, _), app in world.apps.items()
        if app["publishTime"]
    }
    assert world.tenant["hostnames"] == [world.hostname, "globex.eu.qlikcloud.com"]
    assert world.tenant["name"] == "Globex"
    return {
        "hostname": world.hostname,
        "url": "https://globex.eu.qlikcloud.com",
        "tenant_id": world.tenant["id"],
        "web_integrations": {},
        "users": {},
        "admins": {},
        "groups": {name: group["id"] for name, group in world.groups.items()},
        "spaces": {name: space["id"] for name, space in world.spaces.items()},
        "apps": {"Sales Overview": copies},
    }


def assert_preview_works_offline(stack: Stack) -> None:
    """Check that a preview works without credentials and with an unreachable endpoint."""
    stack.env = {name: value for name, value in stack.env.items() if not name.startswith("QLIK_")}
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening, so connections are refused
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        unchanged = stack.preview(QLIK_CLOUD_ENDPOINT=endpoint)
        assert unchanged.changes == {"same": len(RESOURCES)}
        stack.write(text=STACK_FILE.replace("name: Globex", "name: Globex Corporation"))
        changed = stack.preview(QLIK_CLOUD_ENDPOINT=endpoint)
        assert changed.diffs == {"Tenant tenant": {"name": "update"}}
    assert unchanged.requests == changed.requests == []


def test_a_preview_of_a_new_customer_sends_no_request(stack: Stack) -> None:
    """Before the first `up`, the preview already shows every resource."""
    stack.write(text=STACK_FILE)
    stack.env = {name: value for name, value in stack.env.items() if not name.startswith("QLIK_")}
    preview = stack.preview()
    assert preview.changes == {"create": sorted(RESOURCES)}
    assert preview.requests == []
