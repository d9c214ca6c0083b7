"""Tenant proofs. A proof says that a run is about to request a tenant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.facts import RENEW
from tenantry.providers.tenants import permits
from tests.providers.resource_driver import Case, Inputs, MakeDriver, Tenancy


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": "Globex"}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    return {}


CASE = Case(
    "tenant_proof",
    inputs_for,
    remote,
    creates=("GET /api/v1/licenses/overview",),
    deletes=(),
    is_state_only=True,
)


def test_a_proof_has_times_from_qliks_clock_and_no_secret(driver: MakeDriver, tenancy: Tenancy) -> None:
    """This machine's clock does not matter."""
    tenancy.qlik.control.advance(40 * 24 * 3600)
    proof = driver("tenant_proof").create(inputs_for(tenancy))
    proof_output = proof.state["proof"]
    now = datetime.fromisoformat(tenancy.qlik.control.health()["time"])
    created_at, valid_until = (
        datetime.fromisoformat(proof_output[name]) for name in ("made_at", "valid_until")
    )
    assert timedelta(0) <= now - created_at < timedelta(minutes=5)
    assert (valid_until - created_at).total_seconds() == permits.PERMIT_SECONDS
    assert proof_output["id"] == proof.id
    assert "licence-key" not in repr(proof.state)


def test_the_permit_of_a_proof_can_be_taken_only_once(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Taking the permit uses it up, whatever happens afterwards."""
    proof = driver("tenant_proof").create(inputs_for(tenancy))
    assert permits.take(proof.id)
    assert permits.take(proof.id) is None


def test_a_revival_needs_no_licence(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A run that revives a tenant requests none, so its proof is marked `unused`."""
    tenancy.requests()
    proof = driver("tenant_proof").create(inputs_for(tenancy) | {"revives": True})
    assert tenancy.requests() == []
    assert proof.state["proof"]["unused"] is True
    assert permits.take(proof.id) is None


@pytest.mark.parametrize("failing_request", ["token", "licence"])
def test_wrong_credentials_or_a_missing_licence_leave_no_proof(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch, failing_request: str
) -> None:
    """The run fails before it writes a proof into the state."""
    path = "/oauth/token" if failing_request == "token" else "/api/v1/licenses/overview"
    tenancy.cloud._calls._tokens._tokens.clear()
    tenancy.qlik.control.add_fault(host="templates.*", path=path, status=403)
    with pytest.raises(Failure, match="answered 403"):
        driver("tenant_proof").create(inputs_for(tenancy))


def test_without_checkpoints_no_request_is_sent(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without checkpoints, the engine would save the proof only after the request for the tenant."""
    monkeypatch.setenv("PULUMI_SKIP_CHECKPOINTS", "true")
    tenancy.requests()
    with pytest.raises(Failure, match="PULUMI_SKIP_CHECKPOINTS is set"):
        driver("tenant_proof").create(inputs_for(tenancy))
    assert tenancy.requests() == []


def test_a_renewal_must_name_the_id_of_the_proof(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that is repeated, or run too late, renews no other proof."""
    proof = driver("tenant_proof").create(inputs_for(tenancy))
    assert proof.diff(proof.inputs) == []
    monkeypatch.setenv(RENEW, "0" * 32)
    assert proof.diff(proof.inputs) == []
    monkeypatch.setenv(RENEW, proof.id)
    assert proof.diff(proof.inputs) != []


def test_a_trial_that_has_ended_gets_no_tenant(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A preview uses this machine's clock, and a run uses Qlik's. An existing proof stays valid."""
    with pytest.raises(AssertionError) as caught:
        driver("tenant_proof").check(inputs_for(tenancy) | {"ends_on": "2020-12-31"})
    for words in ("2020-12-31", "ends_on", "revive", "lifecycle"):
        assert words in str(caught.value)
    tomorrow = str(datetime.now(UTC).date() + timedelta(days=1))
    tenancy.qlik.control.advance(3 * 24 * 3600)
    before = set(permits._permits)
    with pytest.raises(Failure, match=f"the trial ended on {tomorrow}"):
        driver("tenant_proof").create(inputs_for(tenancy) | {"ends_on": tomorrow})
    assert set(permits._permits) == before
    proof = driver("tenant_proof").create(inputs_for(tenancy))
    assert proof.check(proof.inputs | {"ends_on": "2020-12-31"}) == proof.inputs
