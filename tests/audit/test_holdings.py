"""Tests of a holding: the tenants, proofs and ids in the state of a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.audit.findings import Unread
from tenantry.audit.holdings import HeldTenant, Proof, holding, read_all
from tenantry.state.backend import Backend, NoSuchStack, PulumiFailed
from tests.audit.states import APP_ID, app, creating, proof, state, tenant


def test_a_holding_has_the_tenant_its_source_and_all_ids() -> None:
    publication = {"type": "x:AppPublication", "urn": "u", "id": "pub", "inputs": {"app": [APP_ID[::-1]]}}
    held = holding("globex", state(tenant("X1"), app(), publication))
    assert held.tenants == (HeldTenant("x1.eu.qlikcloud.com", "id-X1"),)
    assert held.sources == {"templates.eu.qlikcloud.com"}
    assert {APP_ID, APP_ID[::-1], "pub", "X1.eu.qlikcloud.com"} <= held.ids
    assert (held.proofs, held.importing) == ((), False)


def test_a_tenant_with_a_pending_deletion_is_held() -> None:
    """The next run deactivates the tenant."""
    assert holding("globex", state(tenant("x1", delete=True))).tenants


def test_a_proof_counts_only_without_a_tenant() -> None:
    assert holding("globex", state(proof())).proofs == (Proof("2026-03-01T10:00:00Z", "eu", "Globex"),)
    assert holding("globex", state(proof(), tenant("x1"))).proofs == ()
    assert holding("globex", state(proof(delete=True))).proofs == ()


def test_a_proof_has_the_name_and_time_of_its_creation() -> None:
    """The name and the time come from its outputs, and the region from its inputs."""
    proof_values = {"id": "p-1", "made_at": "2026-03-01T10:00:00+00:00", "name": "Globex", "unused": True}
    resource = proof() | {
        "inputs": {"region": "eu", "name": "Globex Ltd"},
        "outputs": {"proof": proof_values},
    }
    assert holding("globex", state(resource)).proofs == (
        Proof("2026-03-01T10:00:00+00:00", "eu", "Globex", True),
    )


def test_a_stack_before_its_first_up_holds_nothing() -> None:
    held = holding("globex", {"version": 3, "deployment": None})
    assert (held.tenants, held.proofs, held.ids) == ((), (), frozenset())


@pytest.mark.parametrize(
    ("resources", "pending", "importing"),
    [
        ([], app("2.3.0"), True),
        ([app("2.3.0")], app("2.3.0"), False),  # a later run finished the import, but the operation stayed
        ([app("2.3.0")], app("2.4.0"), True),  # a new version, before the old one is deleted
        ([app("2.4.0", delete=True), app("2.3.0")], app("2.4.0"), True),
        ([], tenant("x1"), False),
    ],
)
def test_an_unfinished_import_of_an_app_is_detected(
    resources: list[dict[str, object]], pending: dict[str, object], importing: bool
) -> None:
    assert holding("globex", state(*resources, pending=[creating(pending)])).importing is importing


def test_a_pending_deletion_is_not_an_import() -> None:
    assert not holding("globex", state(pending=[{"type": "deleting", "resource": app()}])).importing


def test_unreadable_states_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that was removed in the meantime holds nothing. The other states are still read."""

    def export(_: Backend, stack: str) -> dict[str, object]:
        if stack == "gone":
            raise NoSuchStack("pulumi stack export", "no stack", 6)
        if stack == "broken":
            raise PulumiFailed("pulumi stack export", "incomplete", 255)
        return state(tenant(stack))

    monkeypatch.setattr(Backend, "state", export)
    held, unread = read_all(
        Backend(Path()), ["a", "broken", "gone", "b"], 2, lambda stack, failure: f"{stack} {failure.code}"
    )
    assert [stack_holding.stack for stack_holding in held] == ["a", "b"]
    assert unread == [Unread("the state of stack broken", "broken 255")]
