"""The knowledge of a run about the existing tenants, from the list and from notes."""

from __future__ import annotations

from itertools import chain, combinations

from tests.protocol.rules import Scenario
from tests.protocol.state import Note, Proof, PulumiState, Run, State


def views(state: State, scenario: Scenario) -> list[frozenset[int]]:
    """Return the possible lists. Each has every tenant older than the lag, and any of the younger ones."""
    young = [number for number, tenant in enumerate(state.tenants) if tenant.age <= scenario.list_lag]
    old = frozenset(range(len(state.tenants))).difference(young)
    subsets = chain.from_iterable(combinations(young, size) for size in range(len(young) + 1))
    return [old.union(subset) for subset in subsets]


def candidates(state: State, scenario: Scenario, run: Run, view: frozenset[int]) -> frozenset[int]:
    """Return the tenants in the list that can be the one created under the run's proof."""
    return frozenset(
        number for number in view if can_be_tenant_of(state, scenario, run.pulumi_state, run.customer, number)
    )


def can_be_tenant_of(
    state: State, scenario: Scenario, pulumi_state: PulumiState, customer: str, number: int
) -> bool:
    """Tell whether a tenant can be the one created under the proof in this state, whoever created it."""
    assert pulumi_state.proof is not None
    tenant, rules = state.tenants[number], scenario.rules
    names = {"", customer, state.proofs[pulumi_state.proof].customer} if rules.considers_named else {""}
    return (
        pulumi_state.proof in tenant.older_proofs
        and tenant.name in names
        and (tenant.active or rules.considers_deactivated)
        and (creator(state, scenario, number) == "us" or not rules.trusts_creators)
    )


def creator(state: State, scenario: Scenario, number: int) -> str:
    """Return the creator of a tenant, according to the list."""
    return scenario.other_creator if state.tenants[number].stack is None else scenario.our_creator


def deactivated(state: State, run: Run, view: frozenset[int]) -> frozenset[int]:
    """Return the deactivated tenants with the customer's name, of any age."""
    tenants = state.tenants
    return frozenset(n for n in view if not tenants[n].active and tenants[n].name == run.customer)


def must_stop_at_deactivated(scenario: Scenario, proof: Proof, permit: bool) -> bool:
    """Tell whether deactivated tenants stop a run. They never do if a person has renewed the proof."""
    exception = scenario.rules.stops_at_deactivated
    if not scenario.organisation or proof.by_hand:
        return False
    return exception == "unless by hand" or (not proof.renewed and (permit or exception == "unless renewed"))


def note(state: State, scenario: Scenario, run: Run) -> Note | None:
    """Return the note on the run's disk about its proof and its stack."""
    identity = state.stacks[run.stack].identity
    notes = (note for note in sorted(state.disks[run.disk], key=repr) if note.proof == run.pulumi_state.proof)
    return next((n for n in notes if n.identity == identity or not scenario.rules.note_names_stack), None)


def permit_expired(scenario: Scenario, run: Run) -> bool:
    """Tell whether the run's permit has expired."""
    assert run.permit is not None
    return scenario.rules.permit_counts_from != "never" and run.permit > scenario.permit_life
