"""Tests of the checks of a stack's tenant and its content."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.qlik import Cloud
from tenantry.providers.values import tokens
from tenantry.state.entries import TENANT
from tests.checks.bench import Bench


@pytest.fixture
def tenant(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A tenant that is in the state of the stack."""
    tenant = bench.make_tenant("Globex", "globex.eu.qlikcloud.com")
    row = {"type": TENANT, "urn": "urn:…::tenant", "id": tenant["hostname"], "outputs": tenant}
    monkeypatch.setattr(bench, "state_of", lambda _: {"deployment": {"resources": [row, *bench.held]}})
    return tenant


def hold(bench: Bench, kind: str, key: str, id: str) -> None:
    """Add a resource to the state."""
    row = {"type": tokens.of(kind), "urn": f"urn:…::{key}", "id": id, "outputs": {"name": key}}
    bench.held.append(row)


def make(bench: Bench, tenant: dict[str, Any], path: str, body: dict[str, Any]) -> str:
    """Create an object in the tenant with the client, and return its id."""
    with Cloud(bench.environment) as cloud:
        return str(cloud.tenant(tenant["hostname"]).post(path, body)["id"])


def pretend_others_created_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every object at Qlik look like an object that somebody else created."""
    monkeypatch.setattr("tenantry.providers.framework.handlers.is_created_by_us", lambda *_: False)


def test_a_complete_tenant_has_no_problem(bench: Bench, tenant: dict[str, Any]) -> None:
    hold(bench, "Space", "Sales", make(bench, tenant, "/api/v1/spaces", {"name": "Sales", "type": "managed"}))
    assert bench.wrong() == []


def test_a_deactivated_tenant_is_a_warning(bench: Bench, tenant: dict[str, Any]) -> None:
    bench.deactivate(tenant)
    host = tenant["hostname"]
    output = f"warning tenant: {host} is deactivated; `pulumi up --refresh` reactivates it"
    assert output in bench.wrong()


def test_a_purged_tenant_is_an_error(bench: Bench, tenant: dict[str, Any]) -> None:
    bench.deactivate(tenant)
    bench.qlik.control.advance(40 * 86_400)
    assert any(
        finding.startswith("error tenant: the tenant") and "tenantry forget" in finding
        for finding in bench.wrong()
    )


@pytest.mark.parametrize(
    ("kind", "block", "path", "name", "body"),
    [
        ("Space", "spaces", "/api/v1/spaces", "Sales", {"type": "managed"}),
        ("Group", "groups", "/api/v1/groups", "Viewers", {"assignedRoles": [{"name": "Developer"}]}),
    ],
)
def test_an_existing_object_of_somebody_else_is_an_error(
    bench: Bench,
    tenant: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    block: str,
    path: str,
    name: str,
    body: dict[str, Any],
) -> None:
    """`up` takes over an object that the client created. An object in the state has no finding."""
    id = make(bench, tenant, path, {"name": name, **body})
    assert bench.wrong() == []
    pretend_others_created_everything(monkeypatch)
    (output,) = bench.wrong()
    assert output.startswith(f"error {block}: Pulumi.globex.yaml:")
    assert f'{kind.lower()} "{name}" exists on {tenant["hostname"]}' in output
    assert f"(id {id}). Set `adopt: true`" in output
    hold(bench, kind, name, id)
    assert bench.wrong() == []


def test_an_object_that_no_longer_exists_is_a_warning(bench: Bench, tenant: dict[str, Any]) -> None:
    hold(bench, "Space", "Sales", "gone")
    (output,) = bench.wrong()
    assert output.startswith("warning spaces: Pulumi.globex.yaml:")
    assert 'space "Sales" (gone) no longer exists on' in output


def test_the_limit_counts_all_tenants_that_the_checked_stacks_create(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.checks.organisation.TENANTS_PER_REGION", 3)
    paths = [bench.write(name=f"c{n}", alias=f"customer-{n}") for n in range(3)]
    assert {item.level for found in bench.check(*paths[:2]).values() for item in found} == {"ok", "warning"}
    for found in bench.check(*paths).values():
        (output,) = [str(entry) for entry in found if entry.level == "error"]
        assert (
            output
            == "1 of at most 3 tenants in region eu, and 3 more to create: only 2 of them can be created"
        )
