"""The steps outside the runs: Qlik, time, the person, and mishaps."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol import rules
from tests.protocol.rules import World
from tests.protocol.runs import start_destroy, start_up
from tests.protocol.state import Deployment, Run, Stack, State, Step, Tenant

RUNS_AT_A_TIME = 2
"""One run on each runner. A provider that has outlived its engine counts as a run."""


def qlik(state: State, world: World) -> Iterator[Step]:
    """Carry out a POST, or lose it on the way."""
    for flight in state.flights:
        after = state._replace(flights=tuple(other for other in state.flights if other is not flight))
        made = _made(after, world, flight.proof, flight.stack)
        if state.proofs[flight.proof].released:
            made = made.proof(flight.proof, released_wrongly=True)
        text = f"Qlik carries out the POST under proof {flight.proof}: tenant {len(state.tenants)}"
        yield Step(text, made)
        if rules.DROP in world.kinds:
            yield Step(f"the POST under proof {flight.proof} is lost on its way", after, 1)


def _made(state: State, world: World, proof: int | None, stack: int | None, name: str = "") -> State:
    since = frozenset(n for n, proof in enumerate(state.proofs) if world.since(proof.age))
    return state._replace(tenants=(*state.tenants, Tenant(proof, stack, since, name=name)))


def time(state: State, world: World) -> Iterator[Step]:
    """Let one unit of time pass: never beyond the longest creation, and rarely beyond a permit's lifetime."""
    if any(flight.age >= world.creation for flight in state.flights):
        return
    late = any(run.permit == world.life for run in state.runs)
    after = state._replace(
        runs=tuple(
            run if run.permit is None else run._replace(permit=min(run.permit + 1, world.life + 1))
            for run in state.runs
        ),
        proofs=tuple(proof._replace(age=min(proof.age + 1, world.oldest)) for proof in state.proofs),
        tenants=tuple(tenant._replace(age=min(tenant.age + 1, world.lag + 1)) for tenant in state.tenants),
        flights=tuple(flight._replace(age=flight.age + 1) for flight in state.flights),
    )
    if not late or rules.SLOW in world.kinds:
        yield Step("time passes", after, int(late))
    if rules.SLEEP in world.kinds:
        for run, older in zip(state.runs, after.runs, strict=True):
            if run.permit is not None:
                slept = after if world.rules.permit_counts_sleep else after.run(older, permit=run.permit)
                yield Step(f"time passes, while runner {run.disk + 1} sleeps", slept, 1)


def person(state: State, world: World) -> Iterator[Step]:
    """The steps of a careful person when nothing fails: start runs, clear a dead lock, react to a stop."""
    for number, stack in enumerate(state.stacks):
        if not stack.locked:
            yield from _answers(state, world, number, stack)
            if len(state.runs) < RUNS_AT_A_TIME:
                for disk in _disks(state):
                    yield from _starts(state, world, number, disk)
        elif not any(run.holds_lock and run.stack == number for run in state.runs):
            yield Step(f"the person clears the lock of {stack.identity}", state.stack(number, locked=False))


def _starts(state: State, world: World, number: int, disk: int) -> Iterator[Step]:
    stack = state.stacks[number]
    proof = stack.has.proof
    unused = proof is not None and stack.unused is not None
    if unused and (stack.unused == proof or not world.rules.renewal_names_proof):
        yield start_up(state, world, number, disk, renew=True)
    if _has_work(state, stack):
        yield start_up(state, world, number, disk)
    if _may_renew(state, world, number):
        yield start_up(state, world, number, disk, renew=True, by_hand=True)
    if rules.DESTROY in world.kinds and proof is not None:
        yield start_destroy(state, number, disk)


def _has_work(state: State, stack: Stack) -> bool:
    """Tell whether `up` has anything to do; otherwise the run changes nothing."""
    if stack.has.tenant is None:
        return True
    tenant = state.tenants[stack.has.tenant]
    return not tenant.active or tenant.name != stack.customer


def _answers(state: State, world: World, number: int, stack: Stack) -> Iterator[Step]:
    """Paste the line of a tenant from a stop or from My Qlik, if the tenant really belongs to this stack."""
    if stack.last_stop is None:
        return
    shown = (
        range(len(state.tenants)) if stack.last_stop.why == "no client" else sorted(stack.last_stop.tenants)
    )
    for tenant in shown:
        theirs = state.tenants[tenant].stack == number and not state.held(tenant)
        if theirs or not world.rules.person_knows:
            after = state.stack(number, revive=tenant, last_stop=None)
            yield Step(
                f"the person pastes the line of tenant {tenant} into the file of {stack.identity}", after
            )


def _may_renew(state: State, world: World, number: int) -> bool:
    """Tell whether a careful person renews by hand: at a stop, if no tenant was created for this stack.

    They renew the proof that the stop named. A stop for a deactivated tenant says for certain that nothing
    was created. At any other stop, the time that the stop names must be over.
    """
    stack = state.stacks[number]
    proof = stack.has.proof
    if (
        stack.last_stop is None
        or stack.last_stop.why == "too early"
        or proof is None
        or stack.has.tenant is not None
    ):
        return False
    if stack.last_stop.proof != proof and world.rules.renewal_names_proof:
        return False
    made = any(tenant.proof == proof and tenant.stack == number for tenant in state.tenants)
    certain = stack.last_stop.why == "deactivated" or world.over(state.proofs[proof].age)
    return world.rules.person_renews and (certain or not world.rules.person_waits) and not made


def _disks(state: State) -> tuple[int, ...]:
    """Return the runners to choose from: only one, while nothing distinguishes them."""
    return (0, 1) if any(state.disks) or state.runs else (0,)


def mishaps(state: State, world: World) -> Iterator[Step]:
    """The mishaps, and the changes to a stack between runs."""
    for run in state.runs:
        yield from _to_a_run(state, world, run)
    for number, stack in enumerate(state.stacks):
        if not stack.locked:
            yield from _to_a_stack(state, world, number)
    if rules.COPY in world.kinds and len(state.stacks) == 1 and state.stacks[0].has.proof is not None:
        has = state.stacks[0].has
        after = _rolled(state, has)._replace(stacks=(*state.stacks, Stack("B", "Hooli", has)))
        yield Step(
            f"the state of {state.stacks[0].identity}, {_shown(has)}, is copied to a new stack B", after, 1
        )
    if rules.WIPE in world.kinds:
        for disk, notes in enumerate(state.disks):
            if notes:
                left = tuple(
                    frozenset() if number == disk else kept for number, kept in enumerate(state.disks)
                )
                yield Step(f"runner {disk + 1} loses its disk", state._replace(disks=left), 1)
    if rules.FOREIGN in world.kinds:
        for name in ("", state.stacks[0].customer, "Somebody"):
            text = (
                f"somebody else makes tenant {len(state.tenants)}, {f'named {name}' if name else 'unnamed'}"
            )
            yield Step(text, _made(state, world, None, None, name), 1)


def _to_a_run(state: State, world: World, run: Run) -> Iterator[Step]:
    who = f"of runner {run.disk + 1}, {state.stacks[run.stack].identity},"
    if rules.KILL in world.kinds:
        yield Step(f"the run {who} is killed", state.without(run), 1)
    if rules.OUTLIVE in world.kinds and run.engine:
        after = state.run(run, engine=False, holds_lock=False)
        yield Step(f"the engine {who} is killed; its provider goes on", after, 1)
    if rules.CLEAR in world.kinds and run.holds_lock:
        after = state.run(run, holds_lock=False).stack(run.stack, locked=False)
        yield Step(f"the run {who} is taken for dead: its lock is cleared", after, 1)


def _to_a_stack(state: State, world: World, number: int) -> Iterator[Step]:
    stack = state.stacks[number]
    if rules.ROLL_BACK in world.kinds:
        for has in sorted(_former(state, number) - {stack.has}, key=repr):
            text = f"the state of {stack.identity} is rolled back to {_shown(has)}"
            yield Step(text, _rolled(state, has).stack(number, has=has, last_stop=None), 1)
    if rules.RENAME in world.kinds and number == 0:
        after = state.stack(0, identity=stack.identity + "'")
        yield Step(f"{stack.identity} is renamed {stack.identity}'", after, 1)
    if rules.REUSE in world.kinds and number == 1 and "A" not in (stack.identity for stack in state.stacks):
        yield Step(
            f"{stack.identity} is renamed A, which the other was before", state.stack(1, identity="A"), 1
        )
    if rules.CUSTOMER in world.kinds and number == 0:
        for name in ("Globex", "Initech", "Umbrella"):
            if name != stack.customer:
                text = f"the customer of {stack.identity} is called {name} in the file from now on"
                yield Step(text, state.stack(0, customer=name), 1)


def _former(state: State, number: int) -> set[Deployment]:
    """Return the former states of a stack: empty, with its own proof, or with a proof and a tenant."""
    former = {Deployment()}
    for n, proof in enumerate(state.proofs):
        if proof.stack == number and proof.recorded:
            former |= {Deployment(n, held) for held in (None, proof.held)}
    return former


def _rolled(state: State, has: Deployment) -> State:
    return state if has.tenant is None else state.tenant(has.tenant, rolled=True)


def _shown(has: Deployment) -> str:
    proof = "empty" if has.proof is None else f"proof {has.proof}"
    return proof if has.tenant is None else f"{proof} and tenant {has.tenant}"
