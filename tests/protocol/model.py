"""The protocol for tenants, as a model: what can happen, and what must hold whatever happens.

Qlik gives a tenant that is asked for no name and no key. So a POST that is sent twice makes two, and one
whose answer is lost leaves a tenant that nobody knows. The protocol:

- A *proof* is written into Pulumi's state before the POST, with the time that Qlik says.
- The process that made the proof holds a *permit*: it may send one POST under it, for a short time.
- A later run finds the proof, has no permit and never sends a POST under it. It goes on with the tenant
  that a note on its disk names. Else it reads the organisation's list, in which few tenants can be the one:
  a person decides.
- If no tenant in the list can be it, and the list was read so late that it would show it, nothing was made.
  Then a new proof takes the place of exactly this one.

Two runners share the backend. A run can be killed after each of its steps, with or without its provider;
requests are refused, lost or late; disks are lost; states are copied and rolled back: `rules` has the whole
list.

What must hold in every state that can be reached:

1.  At most one POST is sent under a proof.
2.  No two stacks hold one tenant, unless a state was copied or rolled back with the tenant in it.
3a. A run says "nothing was made" under a proof, and a new proof takes its place, only if there is no tenant
    that was made under it and is in no state, and none comes to be later.
3b. A tenant that is in no state, while the proof that it was made under is in the state of its stack, is a
    candidate of the next `up` there. If its proof has left the state (by a destroy, a roll-back, or a run
    whose lock was cleared while it lived), it is what `orphans` lists: unnamed, or in no state.
4.  A run takes a tenant that it has not made itself only if a note on its disk names it, for this very
    proof and this very stack, or if a person has put it into the `revive:` line.
5.  There is progress: if nothing fails any more, a careful person can get to where each stack holds exactly
    one tenant, an active one. That person clears the locks of dead runs and runs `up`. At a stop they paste
    the line of a tenant that really was made for this stack; or if none was, and the time that the stop says
    is over, they renew by hand the very proof that the stop named.
6.  A run that sees in the list a deactivated tenant of the customer's name sends no POST, unless a person
    renewed the proof by hand.
7.  The runs of a stack make one tenant, unless the stack was destroyed, a state was rolled back, or the
    lock of a living run was cleared.

What is taken for granted: a POST that is sent is carried out within the longest creation or never; the list
shows every tenant that is older than its lag; Qlik's clocks are no further apart than their skew; and the
engine does not go on to the tenant before the backend has the proof. Who made a tenant, as the list has it,
is not relied on.

What is not promised: 3b, if a state is rolled back over a change of the customer's name and the file then
has another name; and 4, if a copy of a state gets the former name of a renamed stack on the same machine.
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
    """Return the beginning: nothing there."""
    return State(world.mishaps, NEW_STACKS[: world.stacks])


def steps(world: World) -> Callable[[State], Iterator[Step]]:
    """Return the function that yields everything that can happen next."""

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
    """Return the invariants of this world, by what they say."""
    return {
        ONE_POST: lambda state: all(proof.posts <= 1 for proof in state.proofs),
        ONE_HOLDER: _held_once,
        NOTHING_MADE: lambda state: not any(proof.let_go_wrongly for proof in state.proofs),
        CANDIDATE: lambda state: not any(_hidden(state, world, n) for n in range(len(state.tenants))),
        EVIDENCE: lambda state: not any(tenant.guessed for tenant in state.tenants),
        DEACTIVATED: lambda state: not any(proof.overlooked for proof in state.proofs),
    } | ({} if world.kinds & world.excuses else {ONE_TENANT: _made_once})


def reached(state: State) -> bool:
    """Tell whether each stack holds exactly one tenant, an active one, and nothing is under way."""
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
    """Tell whether a tenant is in no state, though its proof is, and the next `up` would pass it by."""
    tenant = state.tenants[number]
    if tenant.stack is None or state.held(number):
        return False
    stack = state.stacks[tenant.stack]
    if stack.has.proof != tenant.proof or stack.has.tenant is not None:
        return False
    return not fits(state, world, stack.has, stack.customer, number)
