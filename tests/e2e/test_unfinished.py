"""A run records an object that it could not complete. A preview shows it, and the next `up` completes it."""

from __future__ import annotations

import pytest

from tenantry.emulator import Emulator
from tests.e2e import creations
from tests.e2e.creations import expect_exactly_one_of_each
from tests.e2e.customers import SOURCE_TENANT
from tests.e2e.harness import Stack
from tests.e2e.operations import tenants
from tests.e2e.result import Result
from tests.world import World, calls


def unfinished_id(stack: Stack, name: str, result: Result) -> str:
    """Check that the run failed at this resource and recorded it. Return the id of the resource."""
    assert result.failed == [name]
    resource = stack.resources()[name]
    assert resource["initErrors"]
    (error,) = [error for error in result.errors if resource["id"] in error]
    assert "The next `pulumi up` continues from here" in error
    assert "Traceback" not in result.output
    return str(resource["id"])


@pytest.mark.parametrize("with_refresh", [False, True])
def test_a_tenant_without_its_alias_is_completed(stack: Stack, qlik: Emulator, with_refresh: bool) -> None:
    """Another tenant has the alias at first.

    A preview shows the missing alias, even after a refresh, which removes the engine's record of the error.
    """
    creations.write(stack)
    source = World(qlik, SOURCE_TENANT)
    alias = f"tenants/{source.tenant['id']}"
    source.patch(alias, **{"hostnames/1": "globex.eu.qlikcloud.com"})
    failed = stack.up(expect=1)
    hostname = unfinished_id(stack, "Tenant tenant", failed)
    assert list(tenants(qlik)) == [hostname]
    assert World(qlik, hostname).tenant["name"] == "Globex"
    assert "TENANTS-10" in failed.output
    assert "already in use" in failed.output
    if with_refresh:
        stack.refresh()
        assert "initErrors" not in stack.resources()["Tenant tenant"]
    assert stack.preview("--refresh").diffs["Tenant tenant"] == {"alias": "add"}

    assert stack.up(expect=1).failed == ["Tenant tenant"]
    source.patch(alias, **{"hostnames/1": "templates-again.eu.qlikcloud.com"})
    finished = stack.up()
    assert finished.changes["update"] == ["Tenant tenant"]
    expect_exactly_one_of_each(stack, qlik)


def test_an_app_without_its_name_is_completed(stack: Stack, qlik: Emulator) -> None:
    """The import gives the app a temporary name with a mark. After the failure, no run imports it again."""
    creations.write(stack)
    qlik.control.add_fault(method="PUT", path="/api/v1/apps/*", status=500)
    failed = stack.up(expect=1, TENANTRY_DEADLINE="4")
    unfinished_id(stack, "App Sales Overview", failed)
    assert stack.preview("--refresh").diffs["App Sales Overview"] == {
        "name": "update",
        "description": "update",
    }
    qlik.control.clear_faults()
    finished = stack.up()
    assert finished.changes["update"] == ["App Sales Overview"]
    assert "POST /api/v1/apps/import" not in calls(finished.requests)
    expect_exactly_one_of_each(stack, qlik)


def test_a_publication_that_cannot_be_opened_is_completed(stack: Stack, qlik: Emulator) -> None:
    """Qlik refuses to open the published app until the timeout. The next run does not publish it again."""
    creations.write(stack)
    qlik.control.settings(publish_ready_ms=3_600_000)
    failed = stack.up(expect=1, TENANTRY_READY_SECONDS="1")
    id = unfinished_id(stack, "AppPublication Sales Overview in Sales", failed)
    assert "TENANTRY_READY_SECONDS" in failed.output
    second_up = stack.up(expect=1, TENANTRY_READY_SECONDS="0")
    assert second_up.failed == ["AppPublication Sales Overview in Sales"]
    preview = stack.preview("--refresh")
    assert f"({id}) was not refreshed: Qlik refuses to open it (403)" in preview.output
    assert preview.changes.get("delete") is None

    qlik.control.advance(3600)
    finished = stack.up()
    assert not [call for call in calls(finished.requests) if call.endswith("/publish")]
    expect_exactly_one_of_each(stack, qlik)
