"""The steps of a run. It can be killed between any two of them, and each step has an effect that remains."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol import evidence
from tests.protocol.canonical import DESTROY_STEPS, free_proof_number
from tests.protocol.rules import LOSE_RESPONSE, REFUSE_NAME, REFUSE_POST, Scenario
from tests.protocol.state import Note, PendingPost, Proof, PulumiState, Run, State, Step, Stop

WRITES = ("record", "write", *DESTROY_STEPS[1:])
"""The steps that write the state. A provider without its engine cannot do them."""


def start_up(
    state: State, scenario: Scenario, number: int, disk: int, *, renew: bool = False, by_hand: bool = False
) -> Step:
    """Start `up`: take the lock and read the state. For a new proof, request the time from Qlik."""
    stack = state.stacks[number]
    run = Run(number, disk, "create", stack.pulumi_state, stack.customer)
    text = f"runner {disk + 1}: `up` of {stack.identity} begins"
    state = state.stack(number, locked=True, last_stop=None)
    if stack.pulumi_state.proof is None or renew:
        old = stack.pulumi_state.proof if renew else None
        by_hand |= old is not None and state.proofs[old].by_hand
        new = free_proof_number(state)
        proof = Proof(number, stack.customer, renewed=renew, by_hand=by_hand)
        pulumi_state = stack.pulumi_state._replace(proof=new)
        run = run._replace(step="record", pulumi_state=pulumi_state, permit=0, renewed_proof=old)
        text += f" and renews proof {old}{', as a person requested' if by_hand else ''}" if renew else ""
        text += f"; Qlik gives the time for a new proof {new}"
        tenants = tuple(
            tenant._replace(older_proofs=tenant.older_proofs | {new})
            if scenario.lists_as_newer(-tenant.age)
            else tenant
            for tenant in state.tenants
        )
        state = state._replace(proofs=(*state.proofs[:new], proof, *state.proofs[new + 1 :]), tenants=tenants)
    return Step(text, state._replace(runs=(*state.runs, run)))


def start_destroy(state: State, number: int, disk: int) -> Step:
    """Start `destroy`: take the lock and read the state."""
    stack = state.stacks[number]
    step = "remove proof" if stack.pulumi_state.tenant is None else "deactivate"
    run = Run(number, disk, step, stack.pulumi_state, stack.customer)
    state = state.stack(number, locked=True, last_stop=None)
    text = f"runner {disk + 1}: `destroy` of {stack.identity} begins"
    return Step(text, state._replace(runs=(*state.runs, run)), 1)


def steps(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Yield the possible next steps of this run."""
    if run.step in WRITES and not run.engine:
        text = "the provider ends, and without its engine the state does not change"
        yield Step(_text(state, run, text), state.without_run(run))
    else:
        yield from STEPS[run.step](state, scenario, run)


def _record(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Write the proof into the state. If it replaces another proof, declare that one unused."""
    new = run.pulumi_state.proof
    assert new is not None
    after = state.stack(run.stack, pulumi_state=run.pulumi_state).proof(new, recorded=True)
    if run.renewed_proof is not None:
        after = _limit_roll_backs(
            declare_unused(after, run.renewed_proof, run.stack), run.stack, {new, run.renewed_proof}
        )
    permit = 0 if scenario.rules.permit_counts_from == "after the response" else run.permit
    step = "create" if run.pulumi_state.tenant is None else "write"
    after = after.run(run, step=step, permit=permit, tenant=run.pulumi_state.tenant, renewed_proof=None)
    yield Step(_text(state, run, f"proof {new} is in the state"), after)


def _limit_roll_backs(state: State, stack: int, proofs: set[int]) -> State:
    """Limit roll-backs to the last of several unused proofs."""
    for number, proof in enumerate(state.proofs):
        if proof.stack == stack and proof.recorded and proof.tenant_in_state is None and number not in proofs:
            state = state.proof(number, recorded=False)
    return state


def _create(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Run `Tenant.create`, or the step of `up` for a tenant in the state."""
    revive, tenant = state.stacks[run.stack].revive, run.pulumi_state.tenant
    if tenant is not None:
        after = state.tenant(tenant, active=True, name=run.customer).run(run, step="write", tenant=tenant)
        yield Step(_text(state, run, f"updates tenant {tenant}"), after)
    elif revive is not None:
        after = state.tenant(revive, active=True).run(run, step="name", permit=None, tenant=revive)
        yield Step(_text(state, run, f"takes over tenant {revive}, as the file says"), after)
    elif run.permit is not None:
        yield from _with_permit(state, scenario, run)
    else:
        yield from _without_permit(state, scenario, run)


def _with_permit(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """With a proof of this run, look for a deactivated tenant of that name, then send the only POST."""
    assert run.pulumi_state.proof is not None
    proof = state.proofs[run.pulumi_state.proof]
    lists = [evidence.deactivated(state, run, view) for view in evidence.views(state, scenario)]
    if evidence.must_stop_at_deactivated(scenario, proof, permit=True):
        for shown in filter(None, lists):
            yield _stop(state.note(run, None), run, "deactivated", shown)  # the permit ends with the run
        if all(lists):
            return
    elif scenario.organisation and all(lists) and not proof.by_hand:
        state = state.proof(run.pulumi_state.proof, ignored_deactivated=True)
    if evidence.permit_expired(scenario, run):
        yield _nothing_created(state, run, "the permit has expired, so it sends nothing")
    elif scenario.rules.permit_check == "when sending":
        yield from _send(state, scenario, run)
    else:
        yield Step(_text(state, run, "takes the permit"), state.run(run, step="send"))


def _send(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Send the POST under the run's proof. It is pending, or Qlik certainly does not carry it out."""
    proof = run.pulumi_state.proof
    assert proof is not None
    state = state.proof(proof, posts=state.proofs[proof].posts + 1)
    after = state._replace(pending_posts=(*state.pending_posts, PendingPost(proof, run.stack)))
    yield Step(
        _text(state, run, f"sends the POST under proof {proof}"), after.run(run, step="wait", permit=None)
    )
    if REFUSE_POST in scenario.mishap_kinds:
        yield _nothing_created(state, run, "the POST is refused, or never leaves the machine", cost=1)


def _wait(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Receive the response to the POST, or no response."""
    proof = run.pulumi_state.proof
    is_pending = any(post.proof == proof for post in state.pending_posts)
    created = [number for number, tenant in enumerate(state.tenants) if tenant.proof == proof]
    if created and not is_pending:
        after = state.run(run, step="note", tenant=created[-1])
        yield Step(_text(state, run, f"receives the response: tenant {created[-1]}"), after)
    post_is_lost = not created and not is_pending
    if post_is_lost or LOSE_RESPONSE in scenario.mishap_kinds:
        yield from _stop_without_response(state, scenario, run, cost=int(not post_is_lost))


def _stop_without_response(state: State, scenario: Scenario, run: Run, cost: int) -> Iterator[Step]:
    """Stop, and show the tenants that may have been created."""
    if not scenario.organisation:
        yield _stop(state, run, "no client", frozenset(), "receives no response; ", cost)
        return
    for view in evidence.views(state, scenario):
        found = evidence.candidates(state, scenario, run, view)
        yield _stop(state, run, "candidates" if found else "too early", found, "receives no response; ", cost)


def _note(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Write a note about the created tenant."""
    after = state.note(run, run.tenant).run(run, step="name")
    text = f"writes a note on its disk: proof {run.pulumi_state.proof} created tenant {run.tenant}"
    yield Step(_text(state, run, text), after)


def _name(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Send the first PATCH, which sets the name. The next `up` sets a name that is newer than the proof."""
    assert run.tenant is not None
    assert run.pulumi_state.proof is not None
    known = (state.proofs[run.pulumi_state.proof].customer, state.tenants[run.tenant].name)
    if run.customer not in known and scenario.rules.postpones_newer_name:
        text = f"does not name tenant {run.tenant} {run.customer} before it is in the state"
        yield Step(_text(state, run, text), state.run(run, step="write"))
        return
    after = state.tenant(run.tenant, name=run.customer).run(run, step="write")
    yield Step(_text(state, run, f"names tenant {run.tenant} {run.customer}"), after)
    if REFUSE_NAME in scenario.mishap_kinds and run.engine:
        text = f"cannot name tenant {run.tenant}, and writes it into the state; the run ends"
        yield Step(_text(state, run, text), _with_tenant_in_state(state, run), 1)


def _write(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Write the tenant into the state, and end."""
    text = f"tenant {run.tenant} is in the state; the run ends"
    yield Step(_text(state, run, text), _with_tenant_in_state(state, run))


def _with_tenant_in_state(state: State, run: Run) -> State:
    assert run.pulumi_state.proof is not None
    pulumi_state = run.pulumi_state._replace(tenant=run.tenant)
    after = state.stack(run.stack, pulumi_state=pulumi_state)
    return end(after.proof(run.pulumi_state.proof, tenant_in_state=run.tenant), run)


def _without_permit(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """With a proof of an earlier run, send nothing. Use the note on this disk, or otherwise the list."""
    note = evidence.note(state, scenario, run)
    if note is not None and note.tenant is not None:
        yield _take(state, run, note.tenant, "as its note says")
    elif scenario.organisation:
        for view in evidence.views(state, scenario):
            yield _from_list(state, scenario, run, view, note_says_none=note is not None)
    elif note is not None:
        yield _nothing_created(state, run, "its note says so")
    else:
        yield _stop(state, run, "no client", frozenset())


def _from_list(
    state: State, scenario: Scenario, run: Run, view: frozenset[int], note_says_none: bool
) -> Step:
    """Decide on an old proof when the list shows these tenants.

    `note_says_none`: a note says that no tenant was created.
    """
    assert run.pulumi_state.proof is not None
    proof, rules = state.proofs[run.pulumi_state.proof], scenario.rules
    found = frozenset() if note_says_none else evidence.candidates(state, scenario, run, view)
    if rules.takes_single_candidate and len(found) == 1:
        (candidate,) = found
        if not state.tenants[candidate].name and evidence.creator(state, scenario, candidate) == "us":
            return _take(state, run, candidate, "the only candidate")
    if found:
        return _stop(state, run, "candidates", found)
    if not note_says_none and not scenario.is_conclusive(proof.age):
        return _stop(state, run, "too early", frozenset())
    shown = evidence.deactivated(state, run, view)
    if shown and evidence.must_stop_at_deactivated(scenario, proof, permit=False):
        return _stop(state, run, "deactivated", shown)
    if rules.posts_under_old_proof:
        return Step(_text(state, run, "finds nothing, and sends the POST again"), state.run(run, step="send"))
    return _nothing_created(
        state, run, "its note says so" if note_says_none else "the list shows nothing", note=False
    )


def _take(state: State, run: Run, tenant: int, reason: str) -> Step:
    """Continue with a tenant of an earlier run. Check the evidence here, independent of the rules."""
    assert run.pulumi_state.proof is not None
    if not state.tenants[tenant].active:
        return _stop(state, run, "candidates", frozenset({tenant}))
    note = Note(run.pulumi_state.proof, state.stacks[run.stack].identity, tenant)
    has_evidence = note in state.disks[run.disk] and state.tenants[tenant].stack == run.stack
    taken_without_evidence = state.tenants[tenant].taken_without_evidence or not has_evidence
    after = state.tenant(tenant, taken_without_evidence=taken_without_evidence)
    after = after.run(run, step="name", tenant=tenant)
    return Step(_text(state, run, f"continues with tenant {tenant}, {reason}"), after)


def _nothing_created(state: State, run: Run, reason: str, cost: int = 0, note: bool = True) -> Step:
    """End with an error: nothing was created under the proof, and nothing will be. It names the proof."""
    assert run.pulumi_state.proof is not None
    after = declare_unused(state.note(run, None) if note else state, run.pulumi_state.proof)
    after = end(after.stack(run.stack, unused_proof=run.pulumi_state.proof), run)
    text = f'{reason}: "nothing was created under proof {run.pulumi_state.proof}"'
    return Step(_text(state, run, text), after, cost)


def _stop(
    state: State, run: Run, reason: str, tenants: frozenset[int], prefix: str = "", cost: int = 0
) -> Step:
    """End with a message that a person must follow."""
    shown = f": tenant {', '.join(map(str, sorted(tenants)))}" if tenants else ""
    after = end(state, run).stack(run.stack, last_stop=Stop(reason, run.pulumi_state.proof, tenants))
    return Step(_text(state, run, f"{prefix}stops, {reason}{shown}"), after, cost)


def _deactivate(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    """Send the one request of a destroy."""
    assert run.pulumi_state.tenant is not None
    after = state.tenant(run.pulumi_state.tenant, active=False).run(run, step="remove tenant")
    yield Step(_text(state, run, f"deactivates tenant {run.pulumi_state.tenant}"), after)


def _remove_tenant(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    pulumi_state = run.pulumi_state._replace(tenant=None)
    after = state.stack(run.stack, pulumi_state=pulumi_state)
    after = after.run(run, step="remove proof", pulumi_state=pulumi_state)
    yield Step(_text(state, run, f"tenant {run.pulumi_state.tenant} is removed from the state"), after)


def _remove_proof(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    after = end(state.stack(run.stack, pulumi_state=PulumiState()), run)
    yield Step(_text(state, run, "the state is empty; the run ends"), after)


STEPS = {
    "record": _record,
    "create": _create,
    "send": _send,
    "wait": _wait,
    "note": _note,
    "name": _name,
    "write": _write,
    "deactivate": _deactivate,
    "remove tenant": _remove_tenant,
    "remove proof": _remove_proof,
}


def end(state: State, run: Run) -> State:
    """End the run; release the lock if the run still holds it."""
    after = state.without_run(run)
    return after.stack(run.stack, locked=False) if run.holds_lock else after


def declare_unused(state: State, proof: int, stack: int | None = None) -> State:
    """Record that somebody relies on "nothing was created" under a proof, and check whether it is true.

    With `stack`, only the tenants of that stack count.
    """
    is_wrong = any(
        tenant.proof == proof and not state.holders(number) and stack in (None, tenant.stack)
        for number, tenant in enumerate(state.tenants)
    )
    is_wrong |= state.proofs[proof].wrongly_declared_unused
    return state.proof(proof, declared_unused=True, wrongly_declared_unused=is_wrong)


def _text(state: State, run: Run, text: str) -> str:
    return f"runner {run.disk + 1}, {state.stacks[run.stack].identity}: {text}"
