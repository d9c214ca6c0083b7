"""The proof that a run is about to request a tenant."""

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


def test_it_has_the_time_of_qlik_and_no_secret(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A wrong clock of the machine does not affect the time of the request."""
    tenancy.qlik.control.advance(40 * 24 * 3600)
    proof = driver("tenant_proof").create(inputs_for(tenancy))
    facts = proof.state["proof"]
    now = datetime.fromisoformat(tenancy.qlik.control.health()["time"])
    made_at, valid_until = (datetime.fromisoformat(facts[name]) for name in ("made_at", "valid_until"))
    assert timedelta(0) <= now - made_at < timedelta(minutes=5)
    assert (valid_until - made_at).total_seconds() == permits.PERMIT_SECONDS
    assert facts["id"] == proof.id
    assert "licence-key" not in repr(proof.state)


def test_its_permit_is_spent_once(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Whatever comes of the request that it is taken for."""
    proof = driver("tenant_proof").create(inputs_for(tenancy))
    assert permits.take(proof.id)
    assert permits.take(proof.id) is None


def test_taking_a_tenant_back_needs_no_licence(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The run requests nothing under such a proof, and the proof says so."""
    tenancy.requests()
    proof = driver("tenant_proof").create(inputs_for(tenancy) | {"revives": True})
    assert tenancy.requests() == []
    assert proof.state["proof"]["unused"] is True
    assert permits.take(proof.id) is None


@pytest.mark.parametrize("wrong", ["secret", "licence"])
def test_what_would_fail_later_leaves_no_proof(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """Wrong credentials or no licence end the run before there is anything in the state."""
    path = "/oauth/token" if wrong == "secret" else "/api/v1/licenses/overview"
    tenancy.cloud._calls._tokens._tokens.clear()
    tenancy.qlik.control.add_fault(host="templates.*", path=path, status=403)
    with pytest.raises(Failure, match="answered 403"):
        driver("tenant_proof").create(inputs_for(tenancy))


def test_without_checkpoints_nothing_is_asked_for(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof would not be in the state in time."""
    monkeypatch.setenv("PULUMI_SKIP_CHECKPOINTS", "true")
    tenancy.requests()
    with pytest.raises(Failure, match="PULUMI_SKIP_CHECKPOINTS is set"):
        driver("tenant_proof").create(inputs_for(tenancy))
    assert tenancy.requests() == []


def test_it_is_renewed_by_its_own_name_alone(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command run twice, or pasted later, renews nothing else."""
    proof = driver("tenant_proof").create(inputs_for(tenancy))
    assert proof.diff(proof.inputs) == []
    monkeypatch.setenv(RENEW, "0" * 32)
    assert proof.diff(proof.inputs) == []
    monkeypatch.setenv(RENEW, proof.id)
    assert proof.diff(proof.inputs) != []


def test_a_trial_that_has_ended_gets_no_tenant(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A preview checks this machine's clock, and a run checks Qlik's. An existing tenant does not change."""
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
