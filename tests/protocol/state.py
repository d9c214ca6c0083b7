"""What the model's states are made of: plain values that never change, so that equal states are one state.

Times are ages, in units of Qlik's clock, counted up to the longest that any rule asks for.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Deployment(NamedTuple):
    """What Pulumi's state holds of one stack."""

    proof: int | None = None
    tenant: int | None = None


class Stop(NamedTuple):
    """How the last run of a stack ended, if it was a stop: why, for which proof, with which tenants.

    `why` is "candidates", "deactivated", "too early" or "no client".
    """

    why: str
    proof: int | None
    tenants: frozenset[int] = frozenset()


class Stack(NamedTuple):
    """One customer: the stack in the backend, its file, and what the person knows.

    `identity` is backend, project and stack in one word; `customer` the name in the file; `revive` the tenant
    in the file's `revive:` line; `unused` the last proof of which a run said that nothing was made under it.
    """

    identity: str
    customer: str
    has: Deployment = Deployment()
    locked: bool = False
    revive: int | None = None
    last_stop: Stop | None = None
    unused: int | None = None


class Run(NamedTuple):
    """One `pulumi up` or `pulumi destroy`: an engine that writes the state, and a provider that asks Qlik.

    `step` is what it does next, `has` the state as this engine knows it. `permit` is the age of its permit,
    None if this process holds none; `tenant` the one that it has got hold of; `renews` the proof that it is
    to renew.
    """

    stack: int
    disk: int
    step: str
    has: Deployment
    customer: str
    engine: bool = True
    holds_lock: bool = True
    permit: int | None = None
    tenant: int | None = None
    renews: int | None = None


class Proof(NamedTuple):
    """A proof, by its number; its age counts from when Qlik gave the time.

    What comes after `by_hand` is for the invariants and for mishaps: no run reads it.
    """

    stack: int
    customer: str
    age: int = 0
    renewed: bool = False  # it took the place of an unused one
    by_hand: bool = False  # ... because a person said so, who knew of any deactivated tenant
    recorded: bool = False  # it has been in a state
    held: int | None = None  # the tenant that a state held beside it
    posts: int = 0
    let_go: bool = False  # a run said "nothing was made", or a person went by that
    let_go_wrongly: bool = False  # … and a tenant was there or came to be
    overlooked: bool = False  # a run went on to POST though the list showed a deactivated tenant of that name

    @property
    def broken(self) -> bool:
        """Whether this proof breaks an invariant."""
        return self.posts > 1 or self.let_go_wrongly or self.overlooked


class Tenant(NamedTuple):
    """A tenant at Qlik. `proof` and `stack` say who really asked for it, which no run can see; None: others.

    `since` are the proofs that it is not older than, by the times in the list. `rolled` marks one that two
    states may hold: a state was copied or rolled back with its entry.
    """

    proof: int | None
    stack: int | None
    since: frozenset[int]
    age: int = 0
    name: str = ""
    active: bool = True
    rolled: bool = False
    guessed: bool = False  # a run took it without evidence


class Flight(NamedTuple):
    """A POST that Qlik has and has not carried out."""

    proof: int
    stack: int
    age: int = 0


class Note(NamedTuple):
    """What a disk says of a proof: the tenant that was made, or None for "nothing, for good"."""

    proof: int
    identity: str
    tenant: int | None


class State(NamedTuple):
    """Everything: the world at one moment. `left` is how many more mishaps there may be."""

    left: int
    stacks: tuple[Stack, ...]
    runs: tuple[Run, ...] = ()
    proofs: tuple[Proof, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    flights: tuple[Flight, ...] = ()
    disks: tuple[frozenset[Note], ...] = (frozenset(), frozenset())

    def stack(self, number: int, **changes: Any) -> State:
        """Return this with one stack changed."""
        return self._replace(stacks=_put(self.stacks, number, self.stacks[number]._replace(**changes)))

    def proof(self, number: int, **changes: Any) -> State:
        """Return this with one proof changed."""
        return self._replace(proofs=_put(self.proofs, number, self.proofs[number]._replace(**changes)))

    def tenant(self, number: int, **changes: Any) -> State:
        """Return this with one tenant changed."""
        return self._replace(tenants=_put(self.tenants, number, self.tenants[number]._replace(**changes)))

    def run(self, run: Run, **changes: Any) -> State:
        """Return this with a run changed."""
        return self._replace(
            runs=tuple(run._replace(**changes) if other is run else other for other in self.runs)
        )

    def without(self, run: Run) -> State:
        """Return this without a run; a lock that it holds stays."""
        return self._replace(runs=tuple(other for other in self.runs if other is not run))

    def note(self, run: Run, tenant: int | None) -> State:
        """Return this with a note on the run's disk; `proof` is the run's."""
        assert run.has.proof is not None
        note = Note(run.has.proof, self.stacks[run.stack].identity, tenant)
        return self._replace(disks=_put(self.disks, run.disk, self.disks[run.disk] | {note}))

    def held(self, tenant: int) -> tuple[int, ...]:
        """Return the stacks in whose states a tenant is."""
        return tuple(i for i, stack in enumerate(self.stacks) if stack.has.tenant == tenant)


class Step(NamedTuple):
    """One action that was possible: what happened in words, the state after it, and what it cost.

    `cost` 0 is what happens when nothing fails; anything else is a mishap and is taken from `State.left`.
    """

    text: str
    state: State
    cost: int = 0


def _put(values: tuple[Any, ...], number: int, value: Any) -> tuple[Any, ...]:
    return (*values[:number], value, *values[number + 1 :])
