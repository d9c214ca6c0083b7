"""The canonical form of a state, without the facts that no later step can use."""

from __future__ import annotations

from tests.protocol import rules
from tests.protocol.rules import Scenario
from tests.protocol.state import Proof, Stack, State, Tenant

DESTROY_STEPS = ("deactivate", "remove tenant", "remove proof")
FORGOTTEN = Proof(stack=-1, customer="")


def canonical_state(state: State, scenario: Scenario) -> State:
    """Return the one state that represents all equivalent states."""
    can_roll_back = state.mishaps_left > 0 and rules.ROLL_BACK_STATE in scenario.mishap_kinds
    can_destroy = state.mishaps_left > 0 and rules.DESTROY_STACK in scenario.mishap_kinds
    needed = {
        stack.pulumi_state.proof for stack in state.stacks if can_destroy or stack.pulumi_state.tenant is None
    }
    needed |= {
        run.pulumi_state.proof
        for run in state.runs
        if run.step in DESTROY_STEPS or run.pulumi_state.tenant is None
    }
    needed |= {post.proof for post in state.pending_posts}
    needed |= {
        n
        for n, proof in enumerate(state.proofs)
        if (can_roll_back and proof.recorded) or proof.violates_invariant
    }
    needed |= {run.renewed_proof for run in state.runs}
    proofs = tuple(
        FORGOTTEN
        if n not in needed
        else proof
        if can_roll_back
        else proof._replace(recorded=False, tenant_in_state=None)
        for n, proof in enumerate(state.proofs)
    )
    known = _in_use(state) | needed
    while proofs and len(proofs) - 1 not in known:
        proofs = proofs[:-1]
    return state._replace(
        proofs=proofs,
        tenants=tuple(_tenant(tenant, needed) for tenant in state.tenants),
        disks=tuple(
            notes and frozenset(note for note in notes if note.proof in needed) for notes in state.disks
        ),
        stacks=tuple(_stack(stack, scenario) for stack in state.stacks),
    )


def free_proof_number(state: State) -> int:
    """Return a number for a new proof: reuse the number of a forgotten proof, if there is one."""
    known = _in_use(state)
    free = (n for n, proof in enumerate(state.proofs) if proof == FORGOTTEN and n not in known)
    return next(free, len(state.proofs))


def _in_use(state: State) -> set[int | None]:
    return {stack.pulumi_state.proof for stack in state.stacks} | {
        run.pulumi_state.proof for run in state.runs
    }


def _stack(stack: Stack, scenario: Scenario) -> Stack:
    """Remove a stop for an earlier proof. It has no effect, because a renewal names its proof."""
    if stack.unused_proof not in (None, stack.pulumi_state.proof) and scenario.rules.renewal_names_proof:
        stack = stack._replace(unused_proof=None)
    if stack.last_stop and stack.last_stop.proof not in (None, stack.pulumi_state.proof):
        stack = stack._replace(last_stop=stack.last_stop._replace(proof=None))
    return stack


def _tenant(tenant: Tenant, needed: set[int | None]) -> Tenant:
    is_forgotten = tenant.proof is not None and tenant.proof not in needed
    if tenant.older_proofs <= needed and not is_forgotten:
        return tenant
    return tenant._replace(
        older_proofs=tenant.older_proofs & needed, proof=-1 if is_forgotten else tenant.proof
    )
