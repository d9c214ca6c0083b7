"""Revival: a deactivated tenant becomes active again with its content."""

from __future__ import annotations

import yaml

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import (
    DAY,
    ORGANISATION,
    add_revive_line,
    bring_up,
    content,
    deactivate_by_hand,
    renewal,
    resources,
    revive_line,
    tenants,
)
from tests.world import World, writes

CREATE = "POST /api/v1/tenants"


def test_the_revive_line_restores_everything(stack: Stack, qlik: Emulator) -> None:
    """The tenant has its former spaces, groups and apps. The run also makes the changes in the file.

    It creates no duplicates, and the next run has nothing to do.
    """
    world = bring_up(stack, qlik, GLOBEX)
    before, outputs = content(world), stack.outputs()
    line = yaml.safe_load(revive_line(stack.destroy()))
    stack.write(**settings({**GLOBEX, **line}))
    revived = stack.up()
    assert (content(world), stack.outputs()) == (before, outputs)
    assert tenants(qlik) == {world.hostname: "active"}
    assert (
        writes(revived.requests).count(f"POST /api/v1/tenants/{outputs['tenant_id']}/actions/reactivate") == 1
    )
    assert not [call for call in writes(revived.requests) if call.startswith(("PATCH", "PUT", "DELETE"))]
    assert stack.up("--expect-no-changes").requests == []

    stack.destroy()
    changed_customer = with_changes(
        GLOBEX, ("spaces/Sales/description", "Figures"), ("groups/Analysts/roles", [])
    )
    changed_customer = with_changes(
        changed_customer, ("spaces/Sales/access/Analysts", ["consumer"]), ("name", "Globex Corporation")
    )
    stack.write(**settings({**changed_customer, **line}))
    corrected = stack.up()
    assert stack.outputs() == outputs
    assert world.tenant["name"] == "Globex Corporation"
    assert world.spaces["Sales"]["description"] == "Figures"
    assert world.groups["Analysts"]["assignedRoles"] == []
    assert world.access == {("Sales", "Analysts"): ["consumer"]}
    assert any("corrected: description" in message for message in corrected.messages)
    assert stack.up("--expect-no-changes").requests == []


def test_a_tenant_is_never_revived_by_its_name(stack: Stack, qlik: Emulator) -> None:
    """A deactivated tenant with the same name can belong to another customer, so every `up` stops.

    Only the `revive` line revives the tenant.
    """
    world = bring_up(stack, qlik, GLOBEX)
    before = content(world)
    stack.destroy()
    for _ in range(2):
        stopped = stack.up(expect=1, **ORGANISATION)
        assert stopped.failed == ["Tenant tenant"]
        assert any('deactivated tenant has the name "Globex"' in error for error in stopped.errors)
        assert (writes(stopped.requests), tenants(qlik)) == ([], {world.hostname: "disabled"})
    add_revive_line(stack, GLOBEX, stopped)
    revived = stack.up(expect=0, **ORGANISATION)
    assert (content(world), tenants(qlik)) == (before, {world.hostname: "active"})
    assert CREATE not in writes(revived.requests)
    assert any("brought back" in message for message in revived.messages)
    assert stack.up("--expect-no-changes", expect=0, **ORGANISATION).requests == []


def test_the_operator_chooses_between_tenants_with_the_same_name(stack: Stack, qlik: Emulator) -> None:
    """`up` stops and lists both tenants. The operator adds the line for one of them, or renews the proof."""
    customer = {key: value for key, value in GLOBEX.items() if key != "alias"}
    first = bring_up(stack, qlik, customer)
    stack.destroy()
    second = bring_up(stack, qlik, customer)
    line = yaml.safe_load(revive_line(stack.destroy()))
    assert tenants(qlik) == {first.hostname: "disabled", second.hostname: "disabled"}

    stopped = stack.up(expect=1, **ORGANISATION)
    assert stopped.failed == ["Tenant tenant"]
    (error,) = [error for error in stopped.errors if "Globex" in error]
    for world in (first, second):
        assert f"revive: {{hostname: {world.hostname}, tenant_id: {world.tenant['id']}}}" in error
    assert writes(stopped.requests) == []

    stack.write(**settings({**customer, **line}))
    stack.up(expect=0, **ORGANISATION)
    assert tenants(qlik) == {first.hostname: "disabled", second.hostname: "active"}

    stack.destroy()
    stack.write(**settings(customer))
    stopped = stack.up(expect=1, **ORGANISATION)
    proof = resources(stack)["TenantProof proof"]["id"]
    assert f"TENANTRY_RENEW={proof} pulumi up" in str(stopped.errors)
    assert stack.up(expect=0, **ORGANISATION, TENANTRY_RENEW=proof).changes["replace"] == [
        "TenantProof proof"
    ]
    third = resources(stack)["Tenant tenant"]["id"]
    assert tenants(qlik) == {first.hostname: "disabled", second.hostname: "disabled", third: "active"}


def test_the_revive_line_of_a_purged_tenant_is_an_error(stack: Stack, qlik: Emulator) -> None:
    """The run creates nothing. Without the line, a new proof allows a new tenant."""
    world = bring_up(stack, qlik, GLOBEX)
    line = yaml.safe_load(revive_line(stack.destroy()))
    qlik.control.advance(11 * DAY)
    stack.write(**settings({**GLOBEX, **line}))
    failed = stack.up(expect=1)
    assert failed.failed == ["Tenant tenant"]
    assert any(world.hostname in error and "purged" in error for error in failed.errors), failed.errors
    assert tenants(qlik) == {}
    stack.write(**settings(GLOBEX))
    refused = stack.up(expect=1)
    assert refused.requests == []
    stack.up(expect=0, **renewal(refused))
    assert list(tenants(qlik).values()) == ["active"]


def test_a_tenant_deactivated_outside_pulumi_is_reactivated(stack: Stack, qlik: Emulator) -> None:
    """The preview shows exactly one difference. After `up --refresh`, the content is unchanged."""
    world = bring_up(stack, qlik, GLOBEX)
    before = content(world)
    deactivate_by_hand(world)
    refreshed_preview = stack.preview("--refresh", "--diff")
    assert refreshed_preview.diffs == {"Tenant tenant": {"status": "update"}}
    assert '"disabled" => "active"' in refreshed_preview.output
    assert refreshed_preview.changes.keys() == {"update", "same"}
    assert writes(refreshed_preview.requests) == []
    revived = stack.up("--refresh")
    assert [call.rpartition("/")[2] for call in writes(revived.requests)] == ["reactivate"]
    assert (content(world), world.tenant["status"]) == (before, "active")
    assert stack.up("--expect-no-changes").requests == []
    assert World(qlik, world.hostname).tenant["name"] == "Globex"
