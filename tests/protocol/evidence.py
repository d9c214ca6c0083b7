"""The knowledge of a run about the existing tenants: what the list shows, and what follows from it."""

from __future__ import annotations

from itertools import chain, combinations

from tests.protocol.rules import World
from tests.protocol.state import Deployment, Note, Proof, Run, State


def views(state: State, world: World) -> list[frozenset[int]]:
    """Return the possible lists: every tenant older than the lag, and any of the younger ones."""
    young = [number for number, tenant in enumerate(state.tenants) if tenant.age <= world.lag]
    old = frozenset(range(len(state.tenants))).difference(young)
    some = chain.from_iterable(combinations(young, size) for size in range(len(young) + 1))
    return [old.union(subset) for subset in some]


def candidates(state: State, world: World, run: Run, view: frozenset[int]) -> frozenset[int]:
    """Return the tenants in the list that can be the one created under the run's proof."""
    return frozenset(number for number in view if fits(state, world, run.has, run.customer, number))


def fits(state: State, world: World, has: Deployment, customer: str, number: int) -> bool:
    """Tell whether a tenant can be the one created under the proof in this state, whoever created it."""
    assert has.proof is not None
    tenant, rules = state.tenants[number], world.rules
    names = {"", customer, state.proofs[has.proof].customer} if rules.candidates_named else {""}
    return (
        has.proof in tenant.since
        and tenant.name in names
        and (tenant.active or rules.candidates_deactivated)
        and (maker(state, world, number) == "us" or not rules.trusts_makers)
    )


def maker(state: State, world: World, number: int) -> str:
    """Return the creator of a tenant, according to the list."""
    return world.other_maker if state.tenants[number].stack is None else world.our_maker


def deactivated(state: State, run: Run, view: frozenset[int]) -> frozenset[int]:
    """Return the deactivated tenants with the customer's name, of any age."""
    tenants = state.tenants
    return frozenset(n for n in view if not tenants[n].active and tenants[n].name == run.customer)


def asks_about_deactivated(world: World, proof: Proof, permit: bool) -> bool:
    """Tell whether deactivated tenants stop a run; they never do if a person has renewed the proof."""
    when = world.rules.asks_about_deactivated
    if not world.organisation or proof.by_hand:
        return False
    return when == "unless by hand" or (not proof.renewed and (permit or when == "unless renewed"))


def note(state: State, world: World, run: Run) -> Note | None:
    """Return the note on the run's disk about its proof and its stack."""
    identity = state.stacks[run.stack].identity
    notes = (note for note in sorted(state.disks[run.disk], key=repr) if note.proof == run.has.proof)
    return next((n for n in notes if n.identity == identity or not world.rules.note_has_identity), None)


def expired(world: World, run: Run) -> bool:
    """Tell whether the run's permit has run out."""
    assert run.permit is not None
    return world.rules.permit_counts_from != "never" and run.permit > world.life
