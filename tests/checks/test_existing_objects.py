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
    """A tenant that the stack has in its state."""
    made = bench.make_tenant("Globex", "globex.eu.qlikcloud.com")
    row = {"type": TENANT, "urn": "urn:…::tenant", "id": made["hostname"], "outputs": made}
    monkeypatch.setattr(bench, "state_of", lambda _: {"deployment": {"resources": [row, *bench.held]}})
    return made


def hold(bench: Bench, kind: str, key: str, id: str) -> None:
    """Add a resource to the state."""
    row = {"type": tokens.of(kind), "urn": f"urn:…::{key}", "id": id, "outputs": {"name": key}}
    bench.held.append(row)


def make(bench: Bench, tenant: dict[str, Any], path: str, body: dict[str, Any]) -> str:
    """Create an object in the tenant with our client, and return its id."""
    with Cloud(bench.environment) as cloud:
        return str(cloud.tenant(tenant["hostname"]).post(path, body)["id"])


def of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenantry.providers.framework.handlers.is_created_by_us", lambda *_: False)


def test_a_tenant_that_is_as_it_should_be(bench: Bench, tenant: dict[str, Any]) -> None:
    hold(bench, "Space", "Sales", make(bench, tenant, "/api/v1/spaces", {"name": "Sales", "type": "managed"}))
    assert bench.wrong() == []


def test_a_tenant_that_was_deactivated(bench: Bench, tenant: dict[str, Any]) -> None:
    bench.deactivate(tenant)
    host = tenant["hostname"]
    output = f"warning tenant: {host} is deactivated; `pulumi up --refresh` reactivates it"
    assert output in bench.wrong()


def test_a_tenant_that_was_purged(bench: Bench, tenant: dict[str, Any]) -> None:
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
def test_existing_objects_of_others_are_errors(
    bench: Bench,
    tenant: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    block: str,
    path: str,
    name: str,
    body: dict[str, Any],
) -> None:
    """Our own object is adopted. An object of somebody else is an error. A held object is neither."""
    id = make(bench, tenant, path, {"name": name, **body})
    assert bench.wrong() == []
    of_somebody_else(monkeypatch)
    (output,) = bench.wrong()
    assert output.startswith(f"error {block}: Pulumi.globex.yaml:")
    assert f'{kind.lower()} "{name}" exists on {tenant["hostname"]}' in output
    assert f"(id {id}). Set `adopt: true`" in output
    hold(bench, kind, name, id)
    assert bench.wrong() == []


def test_missing_tenants_are_reported(bench: Bench, tenant: dict[str, Any]) -> None:
    hold(bench, "Space", "Sales", "gone")
    (output,) = bench.wrong()
    assert output.startswith("warning spaces: Pulumi.globex.yaml:")
    assert 'space "Sales" (gone) no longer exists on' in output


def test_all_tenants_that_are_about_to_be_made_count(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenantry.checks.organisation.TENANTS_PER_REGION", 3)
    paths = [bench.write(name=f"c{n}", alias=f"customer-{n}") for n in range(3)]
    assert {item.level for found in bench.check(*paths[:2]).values() for item in found} == {"ok", "warning"}
    for found in bench.check(*paths).values():
        (output,) = [str(entry) for entry in found if entry.level == "error"]
        assert (
            output
            == "1 of at most 3 tenants in region eu, and 3 more to create: only 2 of them can be created"
        )
