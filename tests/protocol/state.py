"""The parts of the model's states: immutable values, so that equal states are one state.

Times are ages in units of Qlik's clock, counted up to the longest age that any rule needs.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Deployment(NamedTuple):
    """The content of Pulumi's state for one stack."""

    proof: int | None = None
    tenant: int | None = None


class Stop(NamedTuple):
    """The stop at the end of a stack's last run: the reason, the proof, and the tenants.

    `why` is "candidates", "deactivated", "too early" or "no client".
    """

    why: str
    proof: int | None
    tenants: frozenset[int] = frozenset()


class Stack(NamedTuple):
    """One customer: the stack in the backend, its file, and the knowledge of the person.

    `identity` is backend, project and stack in one word. `customer` is the name in the file. `revive` is the
    tenant in the file's `revive:` line. `unused` is the last proof for which a run said "nothing was made".
    """

    identity: str
    customer: str
    has: Deployment = Deployment()
    locked: bool = False
    revive: int | None = None
    last_stop: Stop | None = None
    unused: int | None = None


class Run(NamedTuple):
    """One `pulumi up` or `pulumi destroy`: an engine that writes the state, and a provider that calls Qlik.

    `step` is its next step, and `has` the state as this engine knows it. `permit` is the age of its permit,
    or None without a permit. `tenant` is the tenant that it works on. `renews` is the proof to renew.
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
    """A proof, identified by its number. Its age starts when Qlik gives the time.

    The invariants and mishaps use the fields after `by_hand`; no run reads them.
    """

    stack: int
    customer: str
    age: int = 0
    renewed: bool = False  # it replaced an unused one
    by_hand: bool = False  # ... because a person wanted it, who knew of every deactivated tenant
    recorded: bool = False  # it has been in a state
    held: int | None = None  # the tenant that a state held with it
    posts: int = 0
    released: bool = False  # a run said "nothing was made", or a person relied on that
    released_wrongly: bool = False  # … but a tenant existed or was created later
    overlooked: bool = False  # a run sent the POST although the list showed a deactivated tenant of that name

    @property
    def broken(self) -> bool:
        """Whether this proof breaks an invariant."""
        return self.posts > 1 or self.released_wrongly or self.overlooked


class Tenant(NamedTuple):
    """A tenant at Qlik. `proof` and `stack` are its real origin, which no run can see; None: somebody else.

    `since` are the proofs that are not younger than the tenant, by the times in the list. `rolled` marks a
    tenant that two states may hold, because a state was copied or rolled back with its entry.
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
    """A POST that Qlik has received but not carried out."""

    proof: int
    stack: int
    age: int = 0


class Note(NamedTuple):
    """A note on a disk about a proof: the created tenant, or None for "permanently nothing"."""

    proof: int
    identity: str
    tenant: int | None


class State(NamedTuple):
    """The whole world at one moment. `left` is the number of mishaps that are still possible."""

    left: int
    stacks: tuple[Stack, ...]
    runs: tuple[Run, ...] = ()
    proofs: tuple[Proof, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    flights: tuple[Flight, ...] = ()
    disks: tuple[frozenset[Note], ...] = (frozenset(), frozenset())

    def stack(self, number: int, **changes: Any) -> State:
        """Return a copy with one stack changed."""
        return self._replace(stacks=_put(self.stacks, number, self.stacks[number]._replace(**changes)))

    def proof(self, number: int, **changes: Any) -> State:
        """Return a copy with one proof changed."""
        return self._replace(proofs=_put(self.proofs, number, self.proofs[number]._replace(**changes)))

    def tenant(self, number: int, **changes: Any) -> State:
        """Return a copy with one tenant changed."""
        return self._replace(tenants=_put(self.tenants, number, self.tenants[number]._replace(**changes)))

    def run(self, run: Run, **changes: Any) -> State:
        """Return a copy with a run changed."""
        return self._replace(
            runs=tuple(run._replace(**changes) if other is run else other for other in self.runs)
        )

    def without(self, run: Run) -> State:
        """Return a copy without a run; keep the lock that it holds."""
        return self._replace(runs=tuple(other for other in self.runs if other is not run))

    def note(self, run: Run, tenant: int | None) -> State:
        """Return a copy with a note on the run's disk about the run's proof."""
        assert run.has.proof is not None
        note = Note(run.has.proof, self.stacks[run.stack].identity, tenant)
        return self._replace(disks=_put(self.disks, run.disk, self.disks[run.disk] | {note}))

    def held(self, tenant: int) -> tuple[int, ...]:
        """Return the stacks whose states contain a tenant."""
        return tuple(i for i, stack in enumerate(self.stacks) if stack.has.tenant == tenant)


class Step(NamedTuple):
    """One possible action: its description, the state after it, and its cost.

    `cost` is 0 if nothing fails. Any other cost is a mishap and is subtracted from `State.left`.
    """

    text: str
    state: State
    cost: int = 0


def _put(values: tuple[Any, ...], number: int, value: Any) -> tuple[Any, ...]:
    return (*values[:number], value, *values[number + 1 :])
