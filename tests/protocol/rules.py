"""The switches: the rules of the protocol, each of which can be broken, and the bounds of a world."""

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
# What may go wrong, or be done to a stack. Each time takes one from the mishaps of the world.


@dataclass(frozen=True)
class Rules:
    """The protocol. The defaults are what it says; any other value breaks it in one place."""

    posts_under_old_proof: bool = False
    """True: a run that finds nothing under an old proof sends the POST again instead of having it renewed."""
    waits_for: tuple[str, ...] = (LIFE, CREATION, LAG, SKEW)
    """What must have passed since the proof before a list can say "nothing was made"."""
    time_of_proof: str = "Qlik's"
    """"Qlik's" or "the machine's"."""
    permit_counts_from: str = "before the request"
    """"before the request" whose answer gave the time, "after the answer", or "never": it does not end."""
    permit_counts_sleep: bool = True
    """False: its age is taken from a clock that stands still while the machine sleeps."""
    permit_checked: str = "when sending"
    """"when sending" or "when spent": after that the request may wait, for a token or for a rate limit."""
    takes_only_candidate: bool = False
    """True: a run goes on with the one unnamed candidate that the list says our client made."""
    trusts_makers: bool = False
    """True: only those are candidates that the list says our client made."""
    note_has_identity: bool = True
    """False: a note counts for whichever stack has its proof."""
    renewal_names_proof: bool = True
    """False: a renewal replaces whichever proof is in the state, as `--replace` does."""
    candidates_named: bool = True
    """False: only unnamed tenants are candidates."""
    names_newer_later: bool = True
    """False: a run that takes an earlier one's tenant gives it a name newer than the proof at once."""
    candidates_deactivated: bool = True
    """False: only active tenants are candidates."""
    asks_about_deactivated: str = "unless by hand"
    """When a deactivated tenant of that name stops a run: "unless by hand" (a person renewed the proof),
    "unless renewed" (by anybody), or "once" (as before, and only a run that has a permit)."""
    person_knows: bool = True
    """False: people paste the line of any tenant that a stop shows."""
    person_waits: bool = True
    """False: at a stop with candidates, of which none is theirs, people renew by hand at once."""
    person_renews: bool = True
    """False: nobody can renew by hand."""


@dataclass(frozen=True)
class World:
    """What can happen, and how much of it. Times are in units of Qlik's clock."""

    mishaps: int
    kinds: frozenset[str] = frozenset()
    rules: Rules = Rules()
    stacks: int = 1
    organisation: bool = True
    """Whether the runs have a client for the organisation's list."""
    life: int = 1
    creation: int = 1
    lag: int = 1
    skew: int = 0
    """How far Qlik's clocks may be apart, as far as the runs know."""
    register_ahead: int = 0
    created_ahead: int = 0
    list_ahead: int = 0
    """How far they are: the time of a proof, the times in the list, the time at which the list was read."""
    machine_ahead: int = 0
    """How far the runners' own clocks are."""
    our_maker: str = "us"
    """What the list says of who made our tenants: "us", "nobody" or "somebody"."""
    other_maker: str = "somebody"
    """What it says of the others'."""
    excuses: frozenset[str] = frozenset({DESTROY, ROLL_BACK, CLEAR})
    """The mishaps after which a stack may make a second tenant."""

    @property
    def _proof_ahead(self) -> int:
        return self.register_ahead if self.rules.time_of_proof == "Qlik's" else self.machine_ahead

    def over(self, age: int) -> bool:
        """Tell whether a list that is read now says for sure what was made under a proof of this age."""
        parts = {LIFE: self.life, CREATION: self.creation, LAG: self.lag, SKEW: self.skew}
        return age + self.list_ahead - self._proof_ahead > sum(parts[part] for part in self.rules.waits_for)

    def since(self, later: int) -> bool:
        """Tell whether a tenant made so much later than a proof is no older, by the times in the list."""
        return later + self.created_ahead - self._proof_ahead + self.skew >= 0

    @property
    def oldest(self) -> int:
        """The age beyond which all ages of proofs are alike."""
        clocks = (
            self.skew + self.list_ahead + abs(self.machine_ahead) + self.register_ahead + self.created_ahead
        )
        return self.life + self.creation + self.lag + clocks + 1
