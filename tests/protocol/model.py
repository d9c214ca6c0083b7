"""A model of the protocol for tenants: the possible steps, and the invariants.

When Qlik creates a tenant, it accepts neither a name nor an idempotency key. So a POST that is sent twice
creates two tenants, and a POST whose response is lost creates a tenant that Tenantry does not know. The
protocol:

- The run writes a *proof* into Pulumi's state before the POST, with the time from Qlik.
- The process that created the proof holds a *permit*: it can send one POST under the proof, for a short time.
- A later run finds the proof, has no permit and never sends a POST under it. If a note on its disk names the
  tenant, the run continues with it. Otherwise, it reads the organisation's list, in which only a
  few tenants are candidates, and a person decides.
- If the list has no candidate, and it was read late enough to show the tenant, then no tenant was created.
  Then a new proof replaces exactly this one.

Two runners share the backend. A run can be killed after each of its steps, with or without its provider.
Requests are refused, lost or late. Disks are lost. States are copied and rolled back. `rules` has the whole
list.

These invariants must hold in every reachable state:

1.  At most one POST is sent under a proof.
2.  No two stacks hold one tenant, unless a state was copied or rolled back with the tenant in it.
3a. When a run says "nothing was created" under a proof, or a new proof replaces it, two things are certain.
    No tenant was created under it that is in no state, and none is created later.
3b. If a tenant is in no state, but its proof is in the state of its stack, the tenant is a candidate of the
    next `up` there. If its proof is no longer in the state (after a destroy, a roll-back, or a run that
    continued after its lock was cleared), `orphans` lists the tenant.
4.  A run takes over a tenant that it has not created itself only in two cases. A note on its disk names the
    tenant for exactly this proof and this stack, or a person has written it into the `revive:` line.
5.  When failures have ended, a careful person can reach a state in which each stack holds exactly one tenant,
    which is active. That person clears the locks of dead runs and runs `up`. When a run stops, they paste
    the `revive:` line of a tenant that really was created for this stack. If there is no such tenant, they
    wait until the time that the run names, and renew by hand exactly the proof that the run named.
6.  If the list shows a deactivated tenant with the customer's name, the run sends no POST, unless a person
    renewed the proof by hand.
7.  The runs of a stack create one tenant, unless the stack was destroyed, a state was rolled back, or the
    lock of a living run was cleared.

Assumptions: Qlik carries out a POST within the longest creation time, or never. The list shows every tenant
that is older than its lag. Qlik's clocks differ by no more than their skew. The engine does not create the
tenant before the backend has the proof. The protocol does not rely on the creator of a tenant in the list.

There are two exceptions. Invariant 3b does not hold if a state is rolled back over a change of the
customer's name, and the file then has another name. Invariant 4 does not hold if a copy of a state gets the
former name of a renamed stack on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tests.protocol import environment, runs
from tests.protocol.canonical import canonical_state
from tests.protocol.evidence import can_be_tenant_of
from tests.protocol.rules import Scenario
from tests.protocol.state import Stack, State, Step

NEW_STACKS = (Stack("A", "Globex"), Stack("B", "Hooli"))
ONE_POST = "1: at most one POST under a proof"
ONE_HOLDER = "2: no two stacks hold one tenant"
NOTHING_CREATED = '3a: "nothing was created" only if no tenant was or will be created'
CANDIDATE = "3b: a tenant that is in no state is a candidate"
EVIDENCE = "4: a run takes over a tenant only with evidence"
PROGRESS = "5: a careful person can reach one tenant for each stack"
DEACTIVATED = "6: no POST beside a deactivated tenant of that name, unless a person wants it"
ONE_TENANT = "7: the runs of a stack create one tenant"


def initial(scenario: Scenario) -> State:
    """Return the initial state, in which nothing exists."""
    return State(scenario.max_mishaps, NEW_STACKS[: scenario.stacks])


def steps(scenario: Scenario) -> Callable[[State], Iterator[Step]]:
    """Return the function that yields every possible next step."""

    def next_steps(state: State) -> Iterator[Step]:
        for run in state.runs:
            yield from affordable(state, runs.steps(state, scenario, run))
        for source in (environment.qlik, environment.time, environment.person, environment.mishaps):
            yield from affordable(state, source(state, scenario))

    def affordable(state: State, moves: Iterable[Step]) -> Iterator[Step]:
        for text, after, cost in moves:
            if cost <= state.mishaps_left:
                after = after._replace(mishaps_left=state.mishaps_left - cost) if cost else after
                yield Step(text, canonical_state(after, scenario), cost)

    return next_steps


def invariants(scenario: Scenario) -> dict[str, Callable[[State], bool]]:
    """Return the invariants of this scenario that concern a single state, by name."""
    return {
        ONE_POST: lambda state: all(proof.posts <= 1 for proof in state.proofs),
        ONE_HOLDER: _is_held_once,
        NOTHING_CREATED: lambda state: not any(proof.wrongly_declared_unused for proof in state.proofs),
        CANDIDATE: lambda state: not any(_is_hidden(state, scenario, n) for n in range(len(state.tenants))),
        EVIDENCE: lambda state: not any(tenant.taken_without_evidence for tenant in state.tenants),
        DEACTIVATED: lambda state: not any(proof.ignored_deactivated for proof in state.proofs),
    } | ({} if scenario.mishap_kinds & scenario.second_tenant_mishaps else {ONE_TENANT: _is_created_once})


def is_done(state: State) -> bool:
    """Tell whether each stack holds exactly one tenant, which is active, and nothing is in progress."""
    return (
        not state.runs
        and not state.pending_posts
        and _is_held_once(state)
        and all(
            not stack.locked
            and stack.pulumi_state.tenant is not None
            and state.tenants[stack.pulumi_state.tenant].active
            for stack in state.stacks
        )
    )


def _is_held_once(state: State) -> bool:
    return all(
        tenant.is_shared or len(state.holders(number)) <= 1 for number, tenant in enumerate(state.tenants)
    )


def _is_created_once(state: State) -> bool:
    stacks = [tenant.stack for tenant in state.tenants if tenant.stack is not None]
    return len(stacks) == len(set(stacks))


def _is_hidden(state: State, scenario: Scenario, number: int) -> bool:
    """Tell whether a tenant is in no state although its proof is, and the next `up` does not consider it."""
    tenant = state.tenants[number]
    if tenant.stack is None or state.holders(number):
        return False
    stack = state.stacks[tenant.stack]
    if stack.pulumi_state.proof != tenant.proof or stack.pulumi_state.tenant is not None:
        return False
    return not can_be_tenant_of(state, scenario, stack.pulumi_state, stack.customer, number)
