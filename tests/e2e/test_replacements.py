"""Replacements follow the order that Qlik requires, match the preview, and lose nothing."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.providers.framework.facts import RENEW
from tests.e2e.customers import GLOBEX, REPLACEABLE, TRIAL, Customer, settings, with_changes
from tests.e2e.fleet import wait_until
from tests.e2e.harness import Stack
from tests.e2e.operations import add_app, bring_up, cloud, content, entries, resources, state, tenants, urn
from tests.e2e.result import Result
from tests.world import World, writes

WITH_MORE_SPACES = with_changes(
    GLOBEX,
    ("spaces/Archive", {"type": "shared", "description": "Last year"}),
    ("spaces/Planning", {"type": "managed", "access": {"Analysts": ["consumer"]}}),
)

MOVED_APP = with_changes(
    WITH_MORE_SPACES, ("apps/Sales Overview/staging", "Archive"), ("spaces/Staging/type", "managed")
)
"""`WITH_MORE_SPACES` with the app in another staging space, and with a new type of the former space."""


def owner_changes(owner: str | None, space: str) -> list[tuple[str, Any]]:
    """Return the changes that create an administrator who owns a space."""
    if owner is None:
        return []
    return [("admins", {owner: {"email": "ada@example.com"}}), (f"spaces/{space}/owner", owner)]


def up_as_previewed(stack: Stack, *args: str) -> Result:
    """Run `up`. Check that it does what the preview showed and leaves nothing to do."""
    preview = stack.preview(*args)
    result = stack.up(*args)
    assert result.changes == preview.changes
    check_settled(stack)
    return result


def check_settled(stack: Stack) -> None:
    """Check that the state has each object once, agrees with Qlik, and needs no change."""
    state_entries = entries(stack)
    assert len(state_entries) == len(set(state_entries)), "the state has an object twice"
    unchanged = stack.up("--refresh", "--expect-no-changes")
    assert unchanged.changes.keys() == {"same"}
    assert writes(unchanged.requests) == []


def test_a_new_type_of_an_empty_space_replaces_it(stack: Stack, qlik: Emulator) -> None:
    """The run deletes the old space first, because its name must be free. The access is replaced with it."""
    world = bring_up(stack, qlik, WITH_MORE_SPACES)
    before = world.spaces
    stack.write(
        **settings(
            with_changes(
                WITH_MORE_SPACES, ("spaces/Archive/type", "managed"), ("spaces/Planning/type", "shared")
            )
        )
    )
    result = up_as_previewed(stack)
    assert result.changes == {
        "replace": ["Space Archive", "Space Planning", "SpaceAssignment Analysts in Planning"],
        "same": 12,
    }
    types = {name: space["type"] for name, space in world.spaces.items()}
    assert types == {"Staging": "shared", "Sales": "managed", "Archive": "managed", "Planning": "shared"}
    assert world.access["Planning", "Analysts"] == ["consumer"]
    for name in ("Archive", "Planning"):
        assert before[name]["id"] != world.spaces[name]["id"]
    assert all(request["status"] < 400 for request in result.requests), (
        "the run must not create a space before its name is free"
    )


def test_a_new_type_of_a_space_with_content_is_refused(stack: Stack, qlik: Emulator) -> None:
    """The error lists the content that prevents the deletion. With the former type, there is no change."""
    world = bring_up(stack, qlik, WITH_MORE_SPACES)
    add_app(world, "Archive", "Made by hand")
    at_qlik, in_state = content(world), state(stack)
    stack.write(**settings(with_changes(WITH_MORE_SPACES, ("spaces/Archive/type", "managed"))))
    refused = stack.up(expect=1)
    assert refused.failed == ["Space Archive"]
    assert any('app "Made by hand"' in error for error in refused.errors)
    assert (content(world), state(stack)) == (at_qlik, in_state)
    stack.write(**settings(WITH_MORE_SPACES))
    check_settled(stack)


@pytest.mark.parametrize("owner", [None, "Support"], ids=["no owner", "an owner who is created late"])
def test_a_staged_app_moves_before_its_space_is_replaced(
    stack: Stack, qlik: Emulator, owner: str | None
) -> None:
    """The run imports the app into its new staging space and deletes the old import, even if that takes long.

    The published copy stays.
    """
    world = bring_up(stack, qlik, WITH_MORE_SPACES)
    qlik.control.add_fault(method="DELETE", path="/api/v1/apps/*", delay_ms=1500)
    qlik.control.add_fault(method="POST", path="/api/v1/users", delay_ms=1500)
    copy = world.apps["Sales", "Sales Overview"]["id"]
    stack.write(**settings(with_changes(MOVED_APP, *owner_changes(owner, "Staging"))))
    up_as_previewed(stack)
    assert world.apps.keys() == {("Archive", "Sales Overview"), ("Sales", "Sales Overview")}
    assert world.spaces["Staging"]["type"] == "managed"
    assert world.apps["Sales", "Sales Overview"]["id"] == copy


def test_a_staged_app_that_cannot_be_deleted_keeps_its_space(stack: Stack, qlik: Emulator) -> None:
    """The run imports no second app."""
    world = bring_up(stack, qlik, WITH_MORE_SPACES)
    fault = qlik.control.add_fault(method="DELETE", path="/api/v1/apps/*", status=403)
    at_qlik = content(world)
    stack.write(**settings(MOVED_APP))
    assert stack.up(expect=1).failed == ["App Sales Overview"]
    assert content(world) == at_qlik
    qlik.control.release(fault)
    stack.up()
    check_settled(stack)
    assert world.apps.keys() == {("Archive", "Sales Overview"), ("Sales", "Sales Overview")}


def test_an_app_of_a_new_tenant_waits_only_for_its_own_space(stack: Stack, qlik: Emulator) -> None:
    """A new tenant has no spaces to replace. Later runs keep the app's dependencies in the state."""
    fault = qlik.control.add_fault(method="PATCH", path="/api/v1/spaces/*", hold=True)
    stack.write(**settings(with_changes(GLOBEX, *owner_changes("Support", "Sales"))))
    process = stack.start("up", "--skip-preview", "--yes")
    wait_until(lambda: any("/apps/import" in request["path"] for request in stack.requests()), "an import")
    qlik.control.release(fault)
    assert process.wait().rc == 0
    for _ in range(2):
        dependencies = resources(stack)["App Sales Overview"]["dependencies"]
        assert sorted(urn.rpartition("::")[2] for urn in dependencies) == ["Staging", "tenant"]
        check_settled(stack)


def test_a_replaced_group_replaces_only_its_own_access(stack: Stack, qlik: Emulator) -> None:
    """A new name of an idp group, or a new provider type, replaces the group."""
    world = bring_up(stack, qlik, GLOBEX)
    old = world.groups["Analysts"]["id"]
    stack.write(**settings(with_changes(GLOBEX, ("groups/Analysts/name", "BI Analysts"))))
    renamed = up_as_previewed(stack)
    assert renamed.changes["replace"] == ["Group Analysts", "SpaceAssignment Analysts in Sales"]
    assert sorted(world.groups) == ["BI Analysts", "Partners"]
    assert world.access == {("Sales", "BI Analysts"): ["consumer", "contributor"]}
    assert f"DELETE /api/v1/groups/{old}" in writes(renamed.requests)

    customer = with_changes(GLOBEX, ("groups/Analysts", {"name": "BI Analysts", "provider_type": "custom"}))
    stack.write(**settings(customer))
    up_as_previewed(stack)
    assert {name: group["providerType"] for name, group in world.groups.items()} == {
        "BI Analysts": "custom",
        "Partners": "custom",
    }
    assert world.access == {("Sales", "BI Analysts"): ["consumer", "contributor"]}


COMMAND = re.compile(r"^ *pulumi (up .*)$", re.MULTILINE)


def test_a_tenant_is_replaced_only_together_with_its_proof(stack: Stack, qlik: Emulator) -> None:
    """A proof allows only one tenant, so no command that replaces only the tenant requests a second one.

    The command in the error replaces both. It creates a complete second tenant before it deactivates the
    first one, which keeps its content.
    """
    customer = {key: value for key, value in GLOBEX.items() if key != "alias"}
    first = bring_up(stack, qlik, customer)
    before, in_state, tenant = content(first), state(stack), urn(stack, "Tenant tenant")
    for options in (["--replace", tenant], ["--target-replace", tenant, "--target-dependents"], []):
        if not options:
            stack.pulumi("state", "taint", tenant, "--yes")
        refused = stack.up(*options, expect=1)
        assert refused.failed == ["Tenant tenant"], options
        assert (writes(refused.requests), content(first)) == ([], before), options
        assert state(stack) == in_state, options
    (error,) = [error for error in refused.errors if "`--replace` or a taint would replace tenant" in error]
    assert f"pulumi state untaint --stack globex '{tenant}'" in error
    command = shlex.split(COMMAND.findall(error)[0])
    assert command[1:3] == ["--stack", "globex"]

    result = up_as_previewed(stack, *command[3:])
    assert len(result.changes["replace"]) == 11  # type: ignore[arg-type]
    second = World(qlik, resources(stack)["Tenant tenant"]["id"])
    assert tenants(qlik) == {first.hostname: "disabled", second.hostname: "active"}
    assert content(first) == before
    assert writes(result.requests)[-1] == f"POST /api/v1/tenants/{first.tenant['id']}/actions/deactivate"
    assert [call for call in writes(result.requests) if call.startswith("DELETE")] == []
    assert second.apps.keys() == first.apps.keys()
    assert second.access == first.access
    assert second.tenant["name"] == "Globex"
    assert any(first.hostname in message and "revive:" in message for message in result.messages)


def test_targets_can_create_only_the_tenant_and_its_proof(stack: Stack, qlik: Emulator) -> None:
    """The proof must be a target as well. The next `up` creates the rest, but no second tenant.

    A new proof does not create a second tenant either.
    """
    stack.write(**settings(GLOBEX))
    parent = "urn:pulumi:globex::tenantry::qlik:index:QlikCustomerTenant"
    tenant = f"{parent}$pulumi-python:dynamic/qlik:Tenant::tenant"
    proof = tenant.replace("Tenant::tenant", "TenantProof::proof")
    assert "pass the output `proof` of a TenantProof" in str(stack.up("--target", tenant, expect=1).errors)
    stack.up("--target", f"{parent}::globex", "--target", proof, "--target", tenant)
    (hostname,) = tenants(qlik)
    assert state(stack).keys() == {"TenantProof proof", "Tenant tenant"}
    stack.write(**settings({**GLOBEX, "name": "Globex Ltd"}))
    assert stack.up("--target", tenant).changes["update"] == ["Tenant tenant"]
    assert World(qlik, hostname).tenant["name"] == "Globex Ltd"
    stack.up()
    check_renewal(stack, qlik, hostname)


def check_renewal(stack: Stack, qlik: Emulator, hostname: str) -> None:
    """Check that a new proof creates no tenant, and that a repeated command creates no second proof."""
    before, in_state = content(World(qlik, hostname)), state(stack)
    first = in_state.pop("TenantProof proof")["id"]
    stack.up("--replace", urn(stack, "TenantProof proof"))
    second = resources(stack)["TenantProof proof"]["id"]
    assert stack.up("--expect-no-changes", expect=0, **{RENEW: first}).requests == []
    result = stack.up(expect=0, **{RENEW: second})
    assert (result.changes["replace"], writes(result.requests)) == (["TenantProof proof"], [])
    after = state(stack)
    assert after.pop("TenantProof proof")["id"] not in (first, second)
    assert (after, content(World(qlik, hostname)), list(tenants(qlik))) == (in_state, before, [hostname])


def test_a_tenant_with_an_alias_is_not_replaced_at_once(stack: Stack, qlik: Emulator) -> None:
    """Only one tenant can have the alias, so the new tenant has none. The old tenant stays in use.

    Without the alias in the file, the next `up` completes the replacement.
    """
    first = bring_up(stack, qlik, GLOBEX)
    before = content(first)
    replace_options = [
        word for name in ("TenantProof proof", "Tenant tenant") for word in ("--replace", urn(stack, name))
    ]
    failed = stack.up(*replace_options, expect=1)
    assert failed.failed == ["Tenant tenant"]
    assert any("cannot have the alias globex.eu.qlikcloud.com" in error for error in failed.errors)
    assert (content(first), first.tenant["status"]) == (before, "active")
    stack.write(**settings({key: value for key, value in GLOBEX.items() if key != "alias"}))
    stack.up()
    second = World(qlik, resources(stack)["Tenant tenant"]["id"])
    assert tenants(qlik) == {first.hostname: "disabled", second.hostname: "active"}
    assert second.apps.keys() == first.apps.keys()
    check_settled(stack)


def test_an_unnecessary_replacement_keeps_each_object(stack: Stack, qlik: Emulator) -> None:
    """Pulumi creates the new object first, without a call to the provider's diff.

    The "new" object is the old one, which the run must not delete. `tests/crash/test_replacements.py` tests
    each resource type separately.
    """
    world = bring_up(stack, qlik, GLOBEX)
    at_qlik, in_state = content(world), state(stack)
    last = "TenantLifecycle lifecycle"
    stack.pulumi("state", "taint", *(urn(stack, name) for name in REPLACEABLE if name != last), "--yes")
    result = stack.up("--replace", urn(stack, last))
    assert set(result.changes["replace"]) == set(REPLACEABLE)  # type: ignore[arg-type]
    assert writes([call for call in result.requests if call["status"] < 400]) == []
    assert tenants(qlik) == {world.hostname: "active"}
    assert (content(world), state(stack)) == (at_qlik, in_state)
    check_settled(stack)


def production(customer: Customer) -> dict[str, Any]:
    """Return the settings of a customer, as a production customer."""
    return settings({**customer, "lifecycle": {"kind": "production", "grace_days": TRIAL["grace_days"]}})


def test_a_protected_publication_keeps_its_space(stack: Stack, qlik: Emulator) -> None:
    """A new type of the space would delete the published app, so the run refuses it before any deletion."""
    stack.write(**production(GLOBEX))
    stack.up()
    at_qlik, in_state = cloud(qlik), state(stack)
    customer = with_changes(GLOBEX, ("spaces/Sales/type", "shared"), ("spaces/Sales/access", {}))
    stack.write(**production(with_changes(customer, ("apps/Sales Overview/publish_to", []))))
    for refused in (stack.preview(expect=1), stack.up(expect=1)):
        assert any("Sales Overview in Sales" in error and "protect" in error for error in refused.errors)
    assert (cloud(qlik), state(stack)) == (at_qlik, in_state)
