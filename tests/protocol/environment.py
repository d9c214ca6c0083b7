"""The steps outside the runs: Qlik, time, the person, and mishaps."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol import rules
from tests.protocol.rules import Scenario
from tests.protocol.runs import start_destroy, start_up
from tests.protocol.state import PulumiState, Run, Stack, State, Step, Tenant

RUNS_AT_A_TIME = 2
"""One run on each runner. A provider without its engine counts as a run."""


def qlik(state: State, scenario: Scenario) -> Iterator[Step]:
    """Carry out a POST, or lose it on the way."""
    for post in state.pending_posts:
        after = state._replace(
            pending_posts=tuple(other for other in state.pending_posts if other is not post)
        )
        created = _with_new_tenant(after, scenario, post.proof, post.stack)
        if state.proofs[post.proof].declared_unused:
            created = created.proof(post.proof, wrongly_declared_unused=True)
        text = f"Qlik carries out the POST under proof {post.proof}: tenant {len(state.tenants)}"
        yield Step(text, created)
        if rules.LOSE_POST in scenario.mishap_kinds:
            yield Step(f"the POST under proof {post.proof} is lost on its way", after, 1)


def _with_new_tenant(
    state: State, scenario: Scenario, proof: int | None, stack: int | None, name: str = ""
) -> State:
    older_proofs = frozenset(
        number for number, older in enumerate(state.proofs) if scenario.lists_as_newer(older.age)
    )
    return state._replace(tenants=(*state.tenants, Tenant(proof, stack, older_proofs, name=name)))


def time(state: State, scenario: Scenario) -> Iterator[Step]:
    """Let one unit of time pass.

    Time cannot pass beyond the longest creation. If it passes beyond the life of a permit, this is a mishap.
    """
    if any(post.age >= scenario.creation_time for post in state.pending_posts):
        return
    expires_permit = any(run.permit == scenario.permit_life for run in state.runs)
    after = state._replace(
        runs=tuple(
            run if run.permit is None else run._replace(permit=min(run.permit + 1, scenario.permit_life + 1))
            for run in state.runs
        ),
        proofs=tuple(
            proof._replace(age=min(proof.age + 1, scenario.max_proof_age)) for proof in state.proofs
        ),
        tenants=tuple(
            tenant._replace(age=min(tenant.age + 1, scenario.list_lag + 1)) for tenant in state.tenants
        ),
        pending_posts=tuple(post._replace(age=post.age + 1) for post in state.pending_posts),
    )
    if not expires_permit or rules.EXPIRE_PERMIT in scenario.mishap_kinds:
        yield Step("time passes", after, int(expires_permit))
    if rules.SLEEP in scenario.mishap_kinds:
        for run, older_run in zip(state.runs, after.runs, strict=True):
            if run.permit is not None:
                sleeping = (
                    after if scenario.rules.permit_ages_in_sleep else after.run(older_run, permit=run.permit)
                )
                yield Step(f"time passes while runner {run.disk + 1} sleeps", sleeping, 1)


def person(state: State, scenario: Scenario) -> Iterator[Step]:
    """Yield the steps of a careful person: start runs, clear the lock of a dead run, react to a stop."""
    for number, stack in enumerate(state.stacks):
        if not stack.locked:
            yield from _pastes(state, scenario, number, stack)
            if len(state.runs) < RUNS_AT_A_TIME:
                for disk in _disks(state):
                    yield from _starts(state, scenario, number, disk)
        elif not any(run.holds_lock and run.stack == number for run in state.runs):
            yield Step(f"the person clears the lock of {stack.identity}", state.stack(number, locked=False))


def _starts(state: State, scenario: Scenario, number: int, disk: int) -> Iterator[Step]:
    stack = state.stacks[number]
    proof = stack.pulumi_state.proof
    has_unused_proof = proof is not None and stack.unused_proof is not None
    if has_unused_proof and (stack.unused_proof == proof or not scenario.rules.renewal_names_proof):
        yield start_up(state, scenario, number, disk, renew=True)
    if _has_work(state, stack):
        yield start_up(state, scenario, number, disk)
    if _may_renew(state, scenario, number):
        yield start_up(state, scenario, number, disk, renew=True, by_hand=True)
    if rules.DESTROY_STACK in scenario.mishap_kinds and proof is not None:
        yield start_destroy(state, number, disk)


def _has_work(state: State, stack: Stack) -> bool:
    """Tell whether `up` has anything to do. Otherwise, the run changes nothing."""
    if stack.pulumi_state.tenant is None:
        return True
    tenant = state.tenants[stack.pulumi_state.tenant]
    return not tenant.active or tenant.name != stack.customer


def _pastes(state: State, scenario: Scenario, number: int, stack: Stack) -> Iterator[Step]:
    """Paste the line of a tenant from a stop or from My Qlik, if the tenant really belongs to this stack."""
    if stack.last_stop is None:
        return
    shown = (
        range(len(state.tenants))
        if stack.last_stop.reason == "no client"
        else sorted(stack.last_stop.tenants)
    )
    for tenant in shown:
        belongs_to_stack = state.tenants[tenant].stack == number and not state.holders(tenant)
        if belongs_to_stack or not scenario.rules.person_knows_owners:
            after = state.stack(number, revive=tenant, last_stop=None)
            yield Step(
                f"the person pastes the line of tenant {tenant} into the file of {stack.identity}", after
            )


def _may_renew(state: State, scenario: Scenario, number: int) -> bool:
    """Tell whether a careful person renews the proof by hand. They do if no tenant was created for the stack.

    They renew the proof that the stop named. After a stop for a deactivated tenant, it is certain that
    nothing was created. After any other stop, the person waits until the time that the stop names.
    """
    stack = state.stacks[number]
    proof = stack.pulumi_state.proof
    if (
        stack.last_stop is None
        or stack.last_stop.reason == "too early"
        or proof is None
        or stack.pulumi_state.tenant is not None
    ):
        return False
    if stack.last_stop.proof != proof and scenario.rules.renewal_names_proof:
        return False
    was_created = any(tenant.proof == proof and tenant.stack == number for tenant in state.tenants)
    is_certain = stack.last_stop.reason == "deactivated" or scenario.is_conclusive(state.proofs[proof].age)
    return (
        scenario.rules.person_renews and (is_certain or not scenario.rules.person_waits) and not was_created
    )


def _disks(state: State) -> tuple[int, ...]:
    """Return the runners to choose from. This is only one as long as nothing distinguishes them."""
    return (0, 1) if any(state.disks) or state.runs else (0,)


def mishaps(state: State, scenario: Scenario) -> Iterator[Step]:
    """Yield the mishaps, and the changes to a stack between runs."""
    for run in state.runs:
        yield from _mishaps_of_run(state, scenario, run)
    for number, stack in enumerate(state.stacks):
        if not stack.locked:
            yield from _mishaps_of_stack(state, scenario, number)
    if (
        rules.COPY_STATE in scenario.mishap_kinds
        and len(state.stacks) == 1
        and state.stacks[0].pulumi_state.proof is not None
    ):
        pulumi_state = state.stacks[0].pulumi_state
        after = _shared(state, pulumi_state)._replace(
            stacks=(*state.stacks, Stack("B", "Hooli", pulumi_state))
        )
        yield Step(
            f"the state of {state.stacks[0].identity}, {_shown(pulumi_state)}, is copied to a new stack B",
            after,
            1,
        )
    if rules.LOSE_DISK in scenario.mishap_kinds:
        for disk, notes in enumerate(state.disks):
            if notes:
                remaining = tuple(
                    frozenset() if number == disk else notes for number, notes in enumerate(state.disks)
                )
                yield Step(f"runner {disk + 1} loses its disk", state._replace(disks=remaining), 1)
    if rules.FOREIGN_TENANT in scenario.mishap_kinds:
        for name in ("", state.stacks[0].customer, "Somebody"):
            text = (
                f"somebody else creates tenant {len(state.tenants)}, {f'named {name}' if name else 'unnamed'}"
            )
            yield Step(text, _with_new_tenant(state, scenario, None, None, name), 1)


def _mishaps_of_run(state: State, scenario: Scenario, run: Run) -> Iterator[Step]:
    run_name = f"of runner {run.disk + 1}, {state.stacks[run.stack].identity},"
    if rules.KILL_RUN in scenario.mishap_kinds:
        yield Step(f"the run {run_name} is killed", state.without_run(run), 1)
    if rules.KILL_ENGINE in scenario.mishap_kinds and run.engine:
        after = state.run(run, engine=False, holds_lock=False)
        yield Step(f"the engine {run_name} is killed; its provider continues", after, 1)
    if rules.CLEAR_LOCK in scenario.mishap_kinds and run.holds_lock:
        after = state.run(run, holds_lock=False).stack(run.stack, locked=False)
        yield Step(f"the run {run_name} is wrongly considered dead: its lock is cleared", after, 1)


def _mishaps_of_stack(state: State, scenario: Scenario, number: int) -> Iterator[Step]:
    stack = state.stacks[number]
    if rules.ROLL_BACK_STATE in scenario.mishap_kinds:
        for pulumi_state in sorted(_former(state, number) - {stack.pulumi_state}, key=repr):
            text = f"the state of {stack.identity} is rolled back to {_shown(pulumi_state)}"
            yield Step(
                text, _shared(state, pulumi_state).stack(number, pulumi_state=pulumi_state, last_stop=None), 1
            )
    if rules.RENAME_STACK in scenario.mishap_kinds and number == 0:
        after = state.stack(0, identity=stack.identity + "'")
        yield Step(f"{stack.identity} is renamed {stack.identity}'", after, 1)
    if (
        rules.REUSE_NAME in scenario.mishap_kinds
        and number == 1
        and "A" not in (stack.identity for stack in state.stacks)
    ):
        yield Step(
            f"{stack.identity} is renamed A, the former name of the other stack",
            state.stack(1, identity="A"),
            1,
        )
    if rules.CHANGE_CUSTOMER_NAME in scenario.mishap_kinds and number == 0:
        for name in ("Globex", "Initech", "Umbrella"):
            if name != stack.customer:
                text = f"the name of the customer of {stack.identity} in the file changes to {name}"
                yield Step(text, state.stack(0, customer=name), 1)


def _former(state: State, number: int) -> set[PulumiState]:
    """Return the former states of a stack: empty, with its own proof, or with a proof and a tenant."""
    former = {PulumiState()}
    for n, proof in enumerate(state.proofs):
        if proof.stack == number and proof.recorded:
            former |= {PulumiState(n, tenant) for tenant in (None, proof.tenant_in_state)}
    return former


def _shared(state: State, pulumi_state: PulumiState) -> State:
    return state if pulumi_state.tenant is None else state.tenant(pulumi_state.tenant, is_shared=True)


def _shown(pulumi_state: PulumiState) -> str:
    proof = "empty" if pulumi_state.proof is None else f"proof {pulumi_state.proof}"
    return proof if pulumi_state.tenant is None else f"{proof} and tenant {pulumi_state.tenant}"
