"""The switches: the rules of the protocol, which can be broken one by one, and the bounds of a world."""

from __future__ import annotations

from dataclasses import dataclass

LIFE, CREATION, LAG, SKEW = "the permit's life", "the longest creation", "the list's lag", "the clocks' skew"

KILL = "a run is killed, engine and provider"
OUTLIVE = "an engine is killed and its provider goes on"
CLEAR = "the lock of a living run is cleared"
SLOW = "a permit runs out before it is used"
SLEEP = "a machine sleeps with a run on it"
REFUSE = "Qlik refuses a POST, or it never leaves the machine"
DROP = "a POST is lost on its way"
LOSE = "the answer to a POST is lost"
UNNAMED = "Qlik refuses the name"
WIPE = "a runner loses its disk"
DESTROY = "a stack is destroyed"
ROLL_BACK = "a state is rolled back"
COPY = "the state of a stack is copied to a new one"
RENAME = "a stack is renamed"
REUSE = "the new stack is given the other's former name"
CUSTOMER = "the customer's name changes in the file"
FOREIGN = "somebody else makes a tenant"
# The possible mishaps, and changes to a stack. Each one uses up one of the mishaps of the world.


@dataclass(frozen=True)
class Rules:
    """The rules of the protocol. The defaults are correct; any other value breaks it in one place."""

    posts_under_old_proof: bool = False
    """True: a run that finds nothing under an old proof sends the POST again, without a renewal."""
    waits_for: tuple[str, ...] = (LIFE, CREATION, LAG, SKEW)
    """The time that must pass after the proof before a list can prove "nothing was made"."""
    time_of_proof: str = "Qlik's"
    """"Qlik's" or "the machine's"."""
    permit_counts_from: str = "before the request"
    """The start of the permit: "before the request" for the time, "after the answer", or "never": no end."""
    permit_counts_sleep: bool = True
    """False: its age comes from a clock that stops while the machine sleeps."""
    permit_checked: str = "when sending"
    """The check of the permit: "when sending", or "when spent", before a wait for a token or rate limit."""
    takes_only_candidate: bool = False
    """True: a run takes the only unnamed candidate that our client created, according to the list."""
    trusts_makers: bool = False
    """True: only tenants that our client created, according to the list, are candidates."""
    note_has_identity: bool = True
    """False: a note counts for any stack that has its proof."""
    renewal_names_proof: bool = True
    """False: a renewal replaces any proof in the state, as `--replace` does."""
    candidates_named: bool = True
    """False: only unnamed tenants are candidates."""
    names_newer_later: bool = True
    """False: a run that takes the tenant of an earlier run names it at once, even if the name is newer."""
    candidates_deactivated: bool = True
    """False: only active tenants are candidates."""
    asks_about_deactivated: str = "unless by hand"
    """When a deactivated tenant of that name stops a run: "unless by hand" (a person renewed the proof),
    "unless renewed" (by anybody), or "once" (as "unless renewed", and only if the run has a permit)."""
    person_knows: bool = True
    """False: a person pastes the line of any tenant that a stop shows."""
    person_waits: bool = True
    """False: at a stop whose candidates all belong to others, a person renews by hand at once."""
    person_renews: bool = True
    """False: nobody can renew by hand."""


@dataclass(frozen=True)
class World:
    """The possible events, and their number. Times are in units of Qlik's clock."""

    mishaps: int
    kinds: frozenset[str] = frozenset()
    rules: Rules = Rules()
    stacks: int = 1
    organisation: bool = True
    """Whether the runs have an OAuth client for the organisation's list."""
    life: int = 1
    creation: int = 1
    lag: int = 1
    skew: int = 0
    """The maximum difference between Qlik's clocks that the runs assume."""
    register_ahead: int = 0
    created_ahead: int = 0
    list_ahead: int = 0
    """The real difference: of the proof's time, the times in the list, and the time of reading the list."""
    machine_ahead: int = 0
    """The difference of the runners' own clocks."""
    our_maker: str = "us"
    """The creator of our tenants in the list: "us", "nobody" or "somebody"."""
    other_maker: str = "somebody"
    """The creator of other people's tenants in the list."""
    excuses: frozenset[str] = frozenset({DESTROY, ROLL_BACK, CLEAR})
    """The mishaps after which a stack can create a second tenant."""

    @property
    def _proof_ahead(self) -> int:
        return self.register_ahead if self.rules.time_of_proof == "Qlik's" else self.machine_ahead

    def over(self, age: int) -> bool:
        """Tell whether a list that is read now is conclusive for a proof of this age."""
        parts = {LIFE: self.life, CREATION: self.creation, LAG: self.lag, SKEW: self.skew}
        return age + self.list_ahead - self._proof_ahead > sum(parts[part] for part in self.rules.waits_for)

    def since(self, later: int) -> bool:
        """Tell whether the list shows a tenant created `later` units after a proof as no older than it."""
        return later + self.created_ahead - self._proof_ahead + self.skew >= 0

    @property
    def oldest(self) -> int:
        """The age beyond which all ages of proofs are equivalent."""
        clocks = (
            self.skew + self.list_ahead + abs(self.machine_ahead) + self.register_ahead + self.created_ahead
        )
        return self.life + self.creation + self.lag + clocks + 1
