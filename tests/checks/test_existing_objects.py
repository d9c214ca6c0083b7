"""Tests of the checks of the tenant of a stack and of its content."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.qlik import Cloud
from tenantry.providers.values import tokens
from tenantry.state.entries import TENANT
from tests.checks.bench import Bench


@pytest.fixture
def tenant(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a tenant that is in the state of the stack."""
    tenant = bench.create_tenant("Globex", "globex.eu.qlikcloud.com")
    resource = {"type": TENANT, "urn": "urn:…::tenant", "id": tenant["hostname"], "outputs": tenant}
    monkeypatch.setattr(
        bench, "state_of", lambda _: {"deployment": {"resources": [resource, *bench.resources]}}
    )
    return tenant


def add_to_state(bench: Bench, kind: str, key: str, id: str) -> None:
    """Add a resource to the state."""
    resource = {"type": tokens.of(kind), "urn": f"urn:…::{key}", "id": id, "outputs": {"name": key}}
    bench.resources.append(resource)


def create(bench: Bench, tenant: dict[str, Any], path: str, body: dict[str, Any]) -> str:
    """Create an object in the tenant with the client, and return its id."""
    with Cloud(bench.environment) as cloud:
        return str(cloud.tenant(tenant["hostname"]).post(path, body)["id"])


def pretend_that_others_created_all_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Tenantry recognise no object as created by its own client."""
    monkeypatch.setattr("tenantry.providers.framework.handlers.is_created_by_us", lambda *_: False)


def test_a_complete_tenant_has_no_problem(bench: Bench, tenant: dict[str, Any]) -> None:
    add_to_state(
        bench, "Space", "Sales", create(bench, tenant, "/api/v1/spaces", {"name": "Sales", "type": "managed"})
    )
    assert bench.problems() == []


def test_a_deactivated_tenant_is_a_warning(bench: Bench, tenant: dict[str, Any]) -> None:
    bench.deactivate(tenant)
    host = tenant["hostname"]
    problem = f"warning tenant: {host} is deactivated; `pulumi up --refresh` reactivates it"
    assert problem in bench.problems()


def test_a_purged_tenant_is_an_error(bench: Bench, tenant: dict[str, Any]) -> None:
    bench.deactivate(tenant)
    bench.qlik.control.advance(40 * 86_400)
    assert any(
        problem.startswith("error tenant: the tenant") and "tenantry forget" in problem
        for problem in bench.problems()
    )


@pytest.mark.parametrize(
    ("kind", "block", "path", "name", "body"),
    [
        ("Space", "spaces", "/api/v1/spaces", "Sales", {"type": "managed"}),
        ("Group", "groups", "/api/v1/groups", "Viewers", {"assignedRoles": [{"name": "Developer"}]}),
    ],
)
def test_an_existing_object_that_another_client_created_is_an_error(
    bench: Bench,
    tenant: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    block: str,
    path: str,
    name: str,
    body: dict[str, Any],
) -> None:
    """`up` takes over objects of its own client and keeps those in the state, so they have no finding."""
    id = create(bench, tenant, path, {"name": name, **body})
    assert bench.problems() == []
    pretend_that_others_created_all_objects(monkeypatch)
    (problem,) = bench.problems()
    assert problem.startswith(f"error {block}: Pulumi.globex.yaml:")
    assert f'{kind.lower()} "{name}" exists on {tenant["hostname"]}' in problem
    assert f"(id {id}). Set `adopt: true`" in problem
    add_to_state(bench, kind, name, id)
    assert bench.problems() == []


def test_an_object_that_no_longer_exists_is_a_warning(bench: Bench, tenant: dict[str, Any]) -> None:
    add_to_state(bench, "Space", "Sales", "gone")
    (problem,) = bench.problems()
    assert problem.startswith("warning spaces: Pulumi.globex.yaml:")
    assert 'space "Sales" (gone) no longer exists on' in problem


def test_the_limit_counts_all_tenants_that_the_checked_stacks_create(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.checks.organisation.TENANTS_PER_REGION", 3)
    paths = [bench.write(name=f"c{n}", alias=f"customer-{n}") for n in range(3)]
    assert {finding.level for findings in bench.check(*paths[:2]).values() for finding in findings} == {
        "ok",
        "warning",
    }
    for findings in bench.check(*paths).values():
        (error,) = [str(finding) for finding in findings if finding.level == "error"]
        assert (
            error
            == "1 of at most 3 tenants in region eu, and 3 more to create: only 2 of them can be created"
        )
