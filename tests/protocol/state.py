"""The parts of the model's states. They are immutable values, so that equal states are one state.

Times are ages in units of Qlik's clock. They stop at the highest age that a rule can distinguish.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class PulumiState(NamedTuple):
    """The content of Pulumi's state for one stack."""

    proof: int | None = None
    tenant: int | None = None


class Stop(NamedTuple):
    """A message at the end of a stack's last run that a person must follow.

    `reason` is "candidates", "deactivated", "too early" or "no client". `tenants` are those that it shows.
    """

    reason: str
    proof: int | None
    tenants: frozenset[int] = frozenset()


class Stack(NamedTuple):
    """One customer: the stack in the backend, its file, and the knowledge of the person.

    `identity` is backend, project and stack in one word. `customer` is the name in the file. `revive` is the
    tenant in the file's `revive:` line. `unused_proof` is the last proof for which a run said "nothing was
    created".
    """

    identity: str
    customer: str
    pulumi_state: PulumiState = PulumiState()
    locked: bool = False
    revive: int | None = None
    last_stop: Stop | None = None
    unused_proof: int | None = None


class Run(NamedTuple):
    """One `pulumi up` or `pulumi destroy`: an engine that writes the state, and a provider that calls Qlik.

    `step` is its next step, and `pulumi_state` the state as this engine knows it. `permit` is the age of its
    permit, or None without a permit. `tenant` is the tenant that it works on. `renewed_proof` is the proof
    that it replaces.
    """

    stack: int
    disk: int
    step: str
    pulumi_state: PulumiState
    customer: str
    engine: bool = True
    holds_lock: bool = True
    permit: int | None = None
    tenant: int | None = None
    renewed_proof: int | None = None


class Proof(NamedTuple):
    """A proof, identified by its number. Its age starts when Qlik gives the time.

    The invariants and mishaps use the fields after `by_hand`; no run reads them.
    """

    stack: int
    customer: str
    age: int = 0
    renewed: bool = False  # it replaced an unused proof
    by_hand: bool = False  # ... because a person who knew of every deactivated tenant wanted it
    recorded: bool = False  # it was in a state at some time
    tenant_in_state: int | None = None  # the tenant that a state held together with it
    posts: int = 0
    declared_unused: bool = False  # a run said "nothing was created", or a person relied on that
    wrongly_declared_unused: bool = False  # ... but a tenant existed or was created later
    ignored_deactivated: bool = False  # a run sent the POST although the list showed a deactivated namesake

    @property
    def violates_invariant(self) -> bool:
        """Whether the history of this proof violates an invariant."""
        return self.posts > 1 or self.wrongly_declared_unused or self.ignored_deactivated


class Tenant(NamedTuple):
    """A tenant at Qlik. `proof` and `stack` are its real origin, which no run can see (None: somebody else).

    `older_proofs` are the proofs that are not younger than the tenant, by the times in the list. `is_shared`
    marks a tenant that two states may hold, because a state was copied or rolled back with its entry.
    """

    proof: int | None
    stack: int | None
    older_proofs: frozenset[int]
    age: int = 0
    name: str = ""
    active: bool = True
    is_shared: bool = False
    taken_without_evidence: bool = False  # a run took it without evidence


class PendingPost(NamedTuple):
    """A POST that Qlik has received but not carried out."""

    proof: int
    stack: int
    age: int = 0


class Note(NamedTuple):
    """A note on a disk about a proof: the created tenant, or None if no tenant was or will be created."""

    proof: int
    identity: str
    tenant: int | None


class State(NamedTuple):
    """The whole model at one moment. `mishaps_left` is the number of mishaps that are still possible."""

    mishaps_left: int
    stacks: tuple[Stack, ...]
    runs: tuple[Run, ...] = ()
    proofs: tuple[Proof, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    pending_posts: tuple[PendingPost, ...] = ()
    disks: tuple[frozenset[Note], ...] = (frozenset(), frozenset())

    def stack(self, number: int, **changes: Any) -> State:
        """Return a copy with one stack changed."""
        return self._replace(
            stacks=_replace_item(self.stacks, number, self.stacks[number]._replace(**changes))
        )

    def proof(self, number: int, **changes: Any) -> State:
        """Return a copy with one proof changed."""
        return self._replace(
            proofs=_replace_item(self.proofs, number, self.proofs[number]._replace(**changes))
        )

    def tenant(self, number: int, **changes: Any) -> State:
        """Return a copy with one tenant changed."""
        return self._replace(
            tenants=_replace_item(self.tenants, number, self.tenants[number]._replace(**changes))
        )

    def run(self, run: Run, **changes: Any) -> State:
        """Return a copy with one run changed."""
        return self._replace(
            runs=tuple(run._replace(**changes) if other is run else other for other in self.runs)
        )

    def without_run(self, run: Run) -> State:
        """Return a copy without a run; keep the lock that it holds."""
        return self._replace(runs=tuple(other for other in self.runs if other is not run))

    def note(self, run: Run, tenant: int | None) -> State:
        """Return a copy with a note on the run's disk about the run's proof."""
        assert run.pulumi_state.proof is not None
        note = Note(run.pulumi_state.proof, self.stacks[run.stack].identity, tenant)
        return self._replace(disks=_replace_item(self.disks, run.disk, self.disks[run.disk] | {note}))

    def holders(self, tenant: int) -> tuple[int, ...]:
        """Return the stacks whose states contain a tenant."""
        return tuple(
            number for number, stack in enumerate(self.stacks) if stack.pulumi_state.tenant == tenant
        )


class Step(NamedTuple):
    """One possible action: its description, the state after it, and its cost.

    `cost` is 0 if nothing fails. Any other cost is a mishap and is subtracted from `State.mishaps_left`.
    """

    text: str
    state: State
    cost: int = 0


def _replace_item(values: tuple[Any, ...], number: int, value: Any) -> tuple[Any, ...]:
    return (*values[:number], value, *values[number + 1 :])
