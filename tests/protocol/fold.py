"""Removes facts that no later step can use, so that equivalent states become one state."""

from __future__ import annotations

from tests.protocol import rules
from tests.protocol.rules import World
from tests.protocol.state import Proof, Stack, State, Tenant

DESTROYS = ("take down", "tenant leaves", "proof leaves")
FORGOTTEN = Proof(stack=-1, customer="")


def fold(state: State, world: World) -> State:
    """Return the one state that represents all equivalent states."""
    rolls = state.left > 0 and rules.ROLL_BACK in world.kinds
    leaves = state.left > 0 and rules.DESTROY in world.kinds
    wanted = {stack.has.proof for stack in state.stacks if leaves or stack.has.tenant is None}
    wanted |= {run.has.proof for run in state.runs if run.step in DESTROYS or run.has.tenant is None}
    wanted |= {flight.proof for flight in state.flights}
    wanted |= {n for n, proof in enumerate(state.proofs) if (rolls and proof.recorded) or proof.broken}
    wanted |= {run.renews for run in state.runs}
    proofs = tuple(
        FORGOTTEN if n not in wanted else proof if rolls else proof._replace(recorded=False, held=None)
        for n, proof in enumerate(state.proofs)
    )
    known = _in_use(state) | wanted
    while proofs and len(proofs) - 1 not in known:
        proofs = proofs[:-1]
    return state._replace(
        proofs=proofs,
        tenants=tuple(_tenant(tenant, wanted) for tenant in state.tenants),
        disks=tuple(
            notes and frozenset(note for note in notes if note.proof in wanted) for notes in state.disks
        ),
        stacks=tuple(_stack(stack, world) for stack in state.stacks),
    )


def free_number(state: State) -> int:
    """Return a number for a new proof: reuse the number of a forgotten proof, if there is one."""
    known = _in_use(state)
    free = (n for n, proof in enumerate(state.proofs) if proof == FORGOTTEN and n not in known)
    return next(free, len(state.proofs))


def _in_use(state: State) -> set[int | None]:
    return {stack.has.proof for stack in state.stacks} | {run.has.proof for run in state.runs}


def _stack(stack: Stack, world: World) -> Stack:
    """Remove a stop for an earlier proof: it has no use, because a renewal names its proof."""
    if stack.unused not in (None, stack.has.proof) and world.rules.renewal_names_proof:
        stack = stack._replace(unused=None)
    if stack.last_stop and stack.last_stop.proof not in (None, stack.has.proof):
        stack = stack._replace(last_stop=stack.last_stop._replace(proof=None))
    return stack


def _tenant(tenant: Tenant, wanted: set[int | None]) -> Tenant:
    gone = tenant.proof is not None and tenant.proof not in wanted
    if tenant.since <= wanted and not gone:
        return tenant
    return tenant._replace(since=tenant.since & wanted, proof=-1 if gone else tenant.proof)
