"""The steps of a run. It can be killed between any two of them, and each step leaves something behind."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol import evidence
from tests.protocol.fold import DESTROYS, free_number
from tests.protocol.rules import LOSE, REFUSE, UNNAMED, World
from tests.protocol.state import Deployment, Flight, Note, Proof, Run, State, Step, Stop

WRITES = ("record", "write", *DESTROYS[1:])
"""The steps that write the state. A provider without its engine cannot do them."""


def start_up(
    state: State, world: World, number: int, disk: int, *, renew: bool = False, by_hand: bool = False
) -> Step:
    """Start `up`: take the lock and read the state; for a new proof, get the time from Qlik."""
    stack = state.stacks[number]
    run = Run(number, disk, "create", stack.has, stack.customer)
    text = f"runner {disk + 1}: `up` of {stack.identity} begins"
    state = state.stack(number, locked=True, last_stop=None)
    if stack.has.proof is None or renew:
        old = stack.has.proof if renew else None
        by_hand |= old is not None and state.proofs[old].by_hand
        new = free_number(state)
        proof = Proof(number, stack.customer, renewed=renew, by_hand=by_hand)
        has = stack.has._replace(proof=new)
        run = run._replace(step="record", has=has, permit=0, renews=old)
        text += f" and renews proof {old}{', as a person said' if by_hand else ''}" if renew else ""
        text += f"; Qlik gives the time for a new proof {new}"
        tenants = tuple(
            tenant._replace(since=tenant.since | {new}) if world.since(-tenant.age) else tenant
            for tenant in state.tenants
        )
        state = state._replace(proofs=(*state.proofs[:new], proof, *state.proofs[new + 1 :]), tenants=tenants)
    return Step(text, state._replace(runs=(*state.runs, run)))


def start_destroy(state: State, number: int, disk: int) -> Step:
    """Start `destroy`: take the lock and read the state."""
    stack = state.stacks[number]
    step = "proof leaves" if stack.has.tenant is None else "take down"
    run = Run(number, disk, step, stack.has, stack.customer)
    state = state.stack(number, locked=True, last_stop=None)
    text = f"runner {disk + 1}: `destroy` of {stack.identity} begins"
    return Step(text, state._replace(runs=(*state.runs, run)), 1)


def steps(state: State, world: World, run: Run) -> Iterator[Step]:
    """Yield the possible next steps of this run."""
    if run.step in WRITES and not run.engine:
        yield Step(_says(state, run, "the provider ends, with nobody to record anything"), state.without(run))
    else:
        yield from STEPS[run.step](state, world, run)


def _record(state: State, world: World, run: Run) -> Iterator[Step]:
    """Write the proof into the state; if it replaces another proof, release that one."""
    new = run.has.proof
    assert new is not None
    after = state.stack(run.stack, has=run.has).proof(new, recorded=True)
    if run.renews is not None:
        after = _no_further_back(release(after, run.renews, run.stack), run.stack, {new, run.renews})
    permit = 0 if world.rules.permit_counts_from == "after the answer" else run.permit
    step = "create" if run.has.tenant is None else "write"
    after = after.run(run, step=step, permit=permit, tenant=run.has.tenant, renews=None)
    yield Step(_says(state, run, f"proof {new} is in the state"), after)


def _no_further_back(state: State, stack: int, proofs: set[int]) -> State:
    """Limit roll-backs in a chain of unused proofs to the last one."""
    for number, proof in enumerate(state.proofs):
        if proof.stack == stack and proof.recorded and proof.held is None and number not in proofs:
            state = state.proof(number, recorded=False)
    return state


def _create(state: State, world: World, run: Run) -> Iterator[Step]:
    """Tenant.create, or the step of `up` for a tenant in the state."""
    revive, tenant = state.stacks[run.stack].revive, run.has.tenant
    if tenant is not None:
        after = state.tenant(tenant, active=True, name=run.customer).run(run, step="write", tenant=tenant)
        yield Step(_says(state, run, f"sees to tenant {tenant}"), after)
    elif revive is not None:
        after = state.tenant(revive, active=True).run(run, step="name", permit=None, tenant=revive)
        yield Step(_says(state, run, f"takes tenant {revive}, as the file says"), after)
    elif run.permit is not None:
        yield from _with_permit(state, world, run)
    else:
        yield from _without_permit(state, world, run)


def _with_permit(state: State, world: World, run: Run) -> Iterator[Step]:
    """With a proof of this run: look for a deactivated tenant of that name, then send the one POST."""
    assert run.has.proof is not None
    proof = state.proofs[run.has.proof]
    seen = [evidence.deactivated(state, run, view) for view in evidence.views(state, world)]
    if evidence.asks_about_deactivated(world, proof, permit=True):
        for shown in filter(None, seen):
            yield _stop(state.note(run, None), run, "deactivated", shown)  # the permit is gone with the run
        if all(seen):
            return
    elif world.organisation and all(seen) and not proof.by_hand:
        state = state.proof(run.has.proof, overlooked=True)
    if evidence.expired(world, run):
        yield _nothing(state, run, "the permit has run out, nothing is sent")
    elif world.rules.permit_checked == "when sending":
        yield from _send(state, world, run)
    else:
        yield Step(_says(state, run, "spends the permit"), state.run(run, step="send"))


def _send(state: State, world: World, run: Run) -> Iterator[Step]:
    """Send the POST under the run's proof: it is on its way, or it certainly was not carried out."""
    proof = run.has.proof
    assert proof is not None
    state = state.proof(proof, posts=state.proofs[proof].posts + 1)
    after = state._replace(flights=(*state.flights, Flight(proof, run.stack)))
    yield Step(
        _says(state, run, f"sends the POST under proof {proof}"), after.run(run, step="wait", permit=None)
    )
    if REFUSE in world.kinds:
        yield _nothing(state, run, "the POST is refused, or never leaves the machine", cost=1)


def _wait(state: State, world: World, run: Run) -> Iterator[Step]:
    """Wait for the response, or for none."""
    proof = run.has.proof
    on_its_way = any(flight.proof == proof for flight in state.flights)
    made = [number for number, tenant in enumerate(state.tenants) if tenant.proof == proof]
    if made and not on_its_way:
        after = state.run(run, step="note", tenant=made[-1])
        yield Step(_says(state, run, f"gets the answer: tenant {made[-1]}"), after)
    lost = not made and not on_its_way
    if lost or LOSE in world.kinds:
        yield from _unanswered(state, world, run, cost=int(not lost))


def _unanswered(state: State, world: World, run: Run, cost: int) -> Iterator[Step]:
    """Stop, and show the tenants that may have been created."""
    if not world.organisation:
        yield _stop(state, run, "no client", frozenset(), "gets no answer; ", cost)
        return
    for view in evidence.views(state, world):
        found = evidence.candidates(state, world, run, view)
        yield _stop(state, run, "candidates" if found else "too early", found, "gets no answer; ", cost)


def _note(state: State, world: World, run: Run) -> Iterator[Step]:
    """Write a note of the created tenant."""
    after = state.note(run, run.tenant).run(run, step="name")
    yield Step(
        _says(state, run, f"notes on its disk that proof {run.has.proof} made tenant {run.tenant}"), after
    )


def _name(state: State, world: World, run: Run) -> Iterator[Step]:
    """Send the first PATCH, which sets the name. The next `up` sets a name that is newer than the proof."""
    assert run.tenant is not None
    assert run.has.proof is not None
    known = (state.proofs[run.has.proof].customer, state.tenants[run.tenant].name)
    if run.customer not in known and world.rules.names_newer_later:
        text = f"does not call tenant {run.tenant} {run.customer} before the state has it"
        yield Step(_says(state, run, text), state.run(run, step="write"))
        return
    after = state.tenant(run.tenant, name=run.customer).run(run, step="write")
    yield Step(_says(state, run, f"names tenant {run.tenant} {run.customer}"), after)
    if UNNAMED in world.kinds and run.engine:
        text = f"may not name tenant {run.tenant}, which is in the state all the same; the run ends"
        yield Step(_says(state, run, text), _written(state, run), 1)


def _write(state: State, world: World, run: Run) -> Iterator[Step]:
    """Write the tenant into the state, and end."""
    yield Step(_says(state, run, f"tenant {run.tenant} is in the state; the run ends"), _written(state, run))


def _written(state: State, run: Run) -> State:
    assert run.has.proof is not None
    has = run.has._replace(tenant=run.tenant)
    return end(state.stack(run.stack, has=has).proof(run.has.proof, held=run.tenant), run)


def _without_permit(state: State, world: World, run: Run) -> Iterator[Step]:
    """With a proof of an earlier run, send nothing: use the note on this disk, otherwise the list."""
    note = evidence.note(state, world, run)
    if note is not None and note.tenant is not None:
        yield _take(state, run, note.tenant, "as its note says")
    elif world.organisation:
        for view in evidence.views(state, world):
            yield _from_list(state, world, run, view, noted=note is not None)
    elif note is not None:
        yield _nothing(state, run, "its note says so")
    else:
        yield _stop(state, run, "no client", frozenset())


def _from_list(state: State, world: World, run: Run, view: frozenset[int], noted: bool) -> Step:
    """Decide on an old proof when the list shows these tenants; `noted`: a note says that there is none."""
    assert run.has.proof is not None
    proof, rules = state.proofs[run.has.proof], world.rules
    found = frozenset() if noted else evidence.candidates(state, world, run, view)
    if rules.takes_only_candidate and len(found) == 1:
        (one,) = found
        if not state.tenants[one].name and evidence.maker(state, world, one) == "us":
            return _take(state, run, one, "the only candidate")
    if found:
        return _stop(state, run, "candidates", found)
    if not noted and not world.over(proof.age):
        return _stop(state, run, "too early", frozenset())
    shown = evidence.deactivated(state, run, view)
    if shown and evidence.asks_about_deactivated(world, proof, permit=False):
        return _stop(state, run, "deactivated", shown)
    if rules.posts_under_old_proof:
        return Step(_says(state, run, "finds nothing, goes on to POST"), state.run(run, step="send"))
    return _nothing(state, run, "its note says so" if noted else "the list shows nothing", note=False)


def _take(state: State, run: Run, tenant: int, why: str) -> Step:
    """Continue with a tenant of an earlier run. Judge the evidence here, independent of the rules."""
    assert run.has.proof is not None
    if not state.tenants[tenant].active:
        return _stop(state, run, "candidates", frozenset({tenant}))
    note = Note(run.has.proof, state.stacks[run.stack].identity, tenant)
    sure = note in state.disks[run.disk] and state.tenants[tenant].stack == run.stack
    guessed = state.tenants[tenant].guessed or not sure
    after = state.tenant(tenant, guessed=guessed).run(run, step="name", tenant=tenant)
    return Step(_says(state, run, f"goes on with tenant {tenant}, {why}"), after)


def _nothing(state: State, run: Run, why: str, cost: int = 0, note: bool = True) -> Step:
    """Say that nothing was made under the proof, permanently; the error names its id."""
    assert run.has.proof is not None
    after = release(state.note(run, None) if note else state, run.has.proof)
    after = end(after.stack(run.stack, unused=run.has.proof), run)
    return Step(_says(state, run, f'{why}: "nothing was made under proof {run.has.proof}"'), after, cost)


def _stop(state: State, run: Run, why: str, tenants: frozenset[int], before: str = "", cost: int = 0) -> Step:
    """End with a message that a person has to read."""
    shown = f": tenant {', '.join(map(str, sorted(tenants)))}" if tenants else ""
    after = end(state, run).stack(run.stack, last_stop=Stop(why, run.has.proof, tenants))
    return Step(_says(state, run, f"{before}stops, {why}{shown}"), after, cost)


def _take_down(state: State, world: World, run: Run) -> Iterator[Step]:
    """Send the one request of a destroy."""
    assert run.has.tenant is not None
    after = state.tenant(run.has.tenant, active=False).run(run, step="tenant leaves")
    yield Step(_says(state, run, f"deactivates tenant {run.has.tenant}"), after)


def _tenant_leaves(state: State, world: World, run: Run) -> Iterator[Step]:
    has = run.has._replace(tenant=None)
    after = state.stack(run.stack, has=has).run(run, step="proof leaves", has=has)
    yield Step(_says(state, run, f"tenant {run.has.tenant} is out of the state"), after)


def _proof_leaves(state: State, world: World, run: Run) -> Iterator[Step]:
    after = end(state.stack(run.stack, has=Deployment()), run)
    yield Step(_says(state, run, "the state is empty; the run ends"), after)


STEPS = {
    "record": _record,
    "create": _create,
    "send": _send,
    "wait": _wait,
    "note": _note,
    "name": _name,
    "write": _write,
    "take down": _take_down,
    "tenant leaves": _tenant_leaves,
    "proof leaves": _proof_leaves,
}


def end(state: State, run: Run) -> State:
    """End the run; release the lock if the run still holds it."""
    after = state.without(run)
    return after.stack(run.stack, locked=False) if run.holds_lock else after


def release(state: State, proof: int, stack: int | None = None) -> State:
    """Record that somebody relies on "nothing was made" under the proof, by one stack or any; check it."""
    wrong = any(
        tenant.proof == proof and not state.held(number) and stack in (None, tenant.stack)
        for number, tenant in enumerate(state.tenants)
    )
    wrong |= state.proofs[proof].released_wrongly
    return state.proof(proof, released=True, released_wrongly=wrong)


def _says(state: State, run: Run, text: str) -> str:
    return f"runner {run.disk + 1}, {state.stacks[run.stack].identity}: {text}"
