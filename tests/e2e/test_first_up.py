"""From nothing to a customer's tenant, and nothing to do after that."""

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


def test_one_short_file_makes_a_customer(stack: Stack, qlik: Emulator) -> None:
    """The outputs name what there is now; another `up` or a preview has nothing to do and asks nobody."""
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

    again = stack.up()
    assert again.changes == {"same": len(RESOURCES)}
    assert again.requests == []
    assert stack.resources().keys() == RESOURCES
    assert_preview_needs_nobody(stack)


def expected_outputs(world: World) -> dict[str, object]:
    """What a portal is to be told of the customer, taken from Qlik's side."""
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


def assert_preview_needs_nobody(stack: Stack) -> None:
    """Preview without any credentials, and at an address where nobody listens."""
    stack.env = {name: value for name, value in stack.env.items() if not name.startswith("QLIK_")}
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening: whoever connects is refused
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        unchanged = stack.preview(QLIK_CLOUD_ENDPOINT=endpoint)
        assert unchanged.changes == {"same": len(RESOURCES)}
        stack.write(text=STACK_FILE.replace("name: Globex", "name: Globex Corporation"))
        changed = stack.preview(QLIK_CLOUD_ENDPOINT=endpoint)
        assert changed.diffs == {"Tenant tenant": {"name": "update"}}
    assert unchanged.requests == changed.requests == []


def test_a_preview_of_a_new_customer_needs_nobody(stack: Stack) -> None:
    """Before the first `up`, too, it shows everything that there will be."""
    stack.write(text=STACK_FILE)
    stack.env = {name: value for name, value in stack.env.items() if not name.startswith("QLIK_")}
    preview = stack.preview()
    assert preview.changes == {"create": sorted(RESOURCES)}
    assert preview.requests == []
