"""A model of the protocol for tenants: the possible steps, and the promises that always hold.

When Qlik creates a tenant, it accepts neither a name nor a key. So a POST that is sent twice creates two
tenants, and a POST whose response is lost creates a tenant that nobody knows. The protocol:

- The run writes a *proof* into Pulumi's state before the POST, with the time from Qlik.
- The process that created the proof holds a *permit*: it can send one POST under the proof, for a short time.
- A later run finds the proof, has no permit and never sends a POST under it. If a note on its disk names the
  tenant, the run continues with it. Otherwise it reads the organisation's list, which has only a few
  candidates, and a person decides.
- If the list has no candidate, and it was read late enough to show the tenant, then no tenant was created.
  Then a new proof replaces exactly this one.

Two runners share the backend. A run can be killed after each of its steps, with or without its provider.
Requests are refused, lost or late; disks are lost; states are copied and rolled back. `rules` has the whole
list.

These promises must hold in every reachable state:

1.  At most one POST is sent under a proof.
2.  No two stacks hold one tenant, unless a state was copied or rolled back with the tenant in it.
3a. A run says "nothing was made" under a proof, and a new proof replaces it, only if no tenant was created
    under it outside of all states, and none is created later.
3b. If a tenant is in no state, but its proof is in the state of its stack, the tenant is a candidate of the
    next `up` there. If its proof has left the state (by a destroy, a roll-back, or a run that lived on after
    its lock was cleared), `orphans` lists the tenant: unnamed, or in no state.
4.  A run takes a tenant that it has not created itself only in two cases: a note on its disk names the tenant
    for exactly this proof and this stack, or a person has written it into the `revive:` line.
5.  There is progress: if nothing fails any more, a careful person can reach a state in which each stack holds
    exactly one tenant, and it is active. That person clears the locks of dead runs and runs `up`. At a stop,
    they paste the line of a tenant that really was created for this stack. If there is no such tenant, and
    the time that the stop names is over, they renew by hand exactly the proof that the stop named.
6.  If the list shows a deactivated tenant with the customer's name, the run sends no POST, unless a person
    renewed the proof by hand.
7.  The runs of a stack create one tenant, unless the stack was destroyed, a state was rolled back, or the
    lock of a living run was cleared.

Assumptions: Qlik carries out a POST within the longest creation, or never. The list shows every tenant that
is older than its lag. Qlik's clocks differ by no more than their skew. The engine does not create the tenant
before the backend has the proof. The protocol does not rely on the creator of a tenant in the list.

Not promised: 3b, if a state is rolled back over a change of the customer's name and the file then has another
name; and 4, if a copy of a state gets the former name of a renamed stack on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tests.protocol import around, runs
from tests.protocol.evidence import fits
from tests.protocol.fold import fold
from tests.protocol.rules import World
from tests.protocol.state import Stack, State, Step

NEW_STACKS = (Stack("A", "Globex"), Stack("B", "Hooli"))
ONE_POST = "1: one POST at most under a proof"
ONE_HOLDER = "2: no two stacks hold one tenant"
NOTHING_MADE = '3a: "nothing was made" only if nothing was and nothing comes'
CANDIDATE = "3b: a tenant that no state has is a candidate"
EVIDENCE = "4: a tenant is taken only on evidence"
PROGRESS = "5: a careful person gets to one tenant for each stack"
DEACTIVATED = "6: no POST beside a deactivated tenant of that name without a person's word"
ONE_TENANT = "7: one tenant for each stack"


def initial(world: World) -> State:
    """Return the initial state: empty."""
    return State(world.mishaps, NEW_STACKS[: world.stacks])


def steps(world: World) -> Callable[[State], Iterator[Step]]:
    """Return the function that yields every possible next step."""

    def follow(state: State) -> Iterator[Step]:
        for run in state.runs:
            yield from paid(state, runs.steps(state, world, run))
        for source in (around.qlik, around.time, around.person, around.mishaps):
            yield from paid(state, source(state, world))

    def paid(state: State, moves: Iterable[Step]) -> Iterator[Step]:
        for text, after, cost in moves:
            if cost <= state.left:
                left = after._replace(left=state.left - cost) if cost else after
                yield Step(text, fold(left, world), cost)

    return follow


def invariants(world: World) -> dict[str, Callable[[State], bool]]:
    """Return the invariants of this world, by their promises."""
    return {
        ONE_POST: lambda state: all(proof.posts <= 1 for proof in state.proofs),
        ONE_HOLDER: _held_once,
        NOTHING_MADE: lambda state: not any(proof.released_wrongly for proof in state.proofs),
        CANDIDATE: lambda state: not any(_hidden(state, world, n) for n in range(len(state.tenants))),
        EVIDENCE: lambda state: not any(tenant.guessed for tenant in state.tenants),
        DEACTIVATED: lambda state: not any(proof.overlooked for proof in state.proofs),
    } | ({} if world.kinds & world.excuses else {ONE_TENANT: _made_once})


def reached(state: State) -> bool:
    """Tell whether each stack holds exactly one tenant, which is active, and nothing is in progress."""
    return (
        not state.runs
        and not state.flights
        and _held_once(state)
        and all(
            not stack.locked and stack.has.tenant is not None and state.tenants[stack.has.tenant].active
            for stack in state.stacks
        )
    )


def _held_once(state: State) -> bool:
    return all(tenant.rolled or len(state.held(number)) <= 1 for number, tenant in enumerate(state.tenants))


def _made_once(state: State) -> bool:
    made = [tenant.stack for tenant in state.tenants if tenant.stack is not None]
    return len(made) == len(set(made))


def _hidden(state: State, world: World, number: int) -> bool:
    """Tell whether a tenant is in no state although its proof is, and the next `up` does not consider it."""
    tenant = state.tenants[number]
    if tenant.stack is None or state.held(number):
        return False
    stack = state.stacks[tenant.stack]
    if stack.has.proof != tenant.proof or stack.has.tenant is not None:
        return False
    return not fits(state, world, stack.has, stack.customer, number)
