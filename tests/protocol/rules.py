"""The rules of the protocol, which can be broken one by one, and the events and bounds of a scenario."""

from __future__ import annotations

from dataclasses import dataclass

PERMIT_LIFE = "the permit's life"
CREATION_TIME = "the longest creation"
LIST_LAG = "the list's lag"
CLOCK_SKEW = "the clocks' skew"

KILL_RUN = "a run is killed, engine and provider"
KILL_ENGINE = "an engine is killed, and its provider continues"
CLEAR_LOCK = "the lock of a living run is cleared"
EXPIRE_PERMIT = "a permit expires before it is used"
SLEEP = "a machine sleeps with a run on it"
REFUSE_POST = "Qlik refuses a POST, or it never leaves the machine"
LOSE_POST = "a POST is lost on its way"
LOSE_RESPONSE = "the response to a POST is lost"
REFUSE_NAME = "Qlik refuses the name"
LOSE_DISK = "a runner loses its disk"
DESTROY_STACK = "a stack is destroyed"
ROLL_BACK_STATE = "a state is rolled back"
COPY_STATE = "the state of a stack is copied to a new one"
RENAME_STACK = "a stack is renamed"
REUSE_NAME = "the new stack gets the other stack's former name"
CHANGE_CUSTOMER_NAME = "the customer's name changes in the file"
FOREIGN_TENANT = "somebody else creates a tenant"
# The possible mishaps, and changes to a stack. Each one uses up one of the mishaps of the scenario.


@dataclass(frozen=True)
class Rules:
    """The rules of the protocol. The defaults are correct; any other value breaks it in one place."""

    posts_under_old_proof: bool = False
    """True: a run that finds nothing under an old proof sends the POST again, without a renewal."""
    waits_for: tuple[str, ...] = (PERMIT_LIFE, CREATION_TIME, LIST_LAG, CLOCK_SKEW)
    """The times that must pass after the proof before a list can prove that nothing was created."""
    proof_time_source: str = "Qlik's"
    """"Qlik's" or "the machine's"."""
    permit_counts_from: str = "before the request"
    """The start of the permit's life: "before the request" for the time, "after the response", or "never".

    A permit whose life never starts does not expire.
    """
    permit_ages_in_sleep: bool = True
    """False: the age of the permit comes from a clock that stops while the machine sleeps."""
    permit_check: str = "when sending"
    """The check of the permit: "when sending", or "when taken", before a wait for a token or rate limit."""
    takes_single_candidate: bool = False
    """True: a run takes the only unnamed candidate that our client created, according to the list."""
    trusts_creators: bool = False
    """True: only tenants that our client created, according to the list, are candidates."""
    note_names_stack: bool = True
    """False: any stack with the proof of a note can use the note."""
    renewal_names_proof: bool = True
    """False: a renewal replaces any proof in the state, like `--replace`."""
    considers_named: bool = True
    """False: only tenants without a name are candidates."""
    postpones_newer_name: bool = True
    """False: a run that takes the tenant of an earlier run names it at once, even if the name is newer."""
    considers_deactivated: bool = True
    """False: only active tenants are candidates."""
    stops_at_deactivated: str = "unless by hand"
    """The condition under which a deactivated tenant of that name stops a run.

    It is "unless by hand" (unless a person renewed the proof), "unless renewed" (by anybody), or "once" (like
    "unless renewed", but only if the run has a permit).
    """
    person_knows_owners: bool = True
    """False: a person pastes the line of any tenant that a stop shows."""
    person_waits: bool = True
    """False: at a stop whose candidates all belong to others, a person renews the proof by hand at once."""
    person_renews: bool = True
    """False: nobody can renew a proof by hand."""


@dataclass(frozen=True)
class Scenario:
    """The possible events, and the maximum number of mishaps. Times are in units of Qlik's clock."""

    max_mishaps: int
    mishap_kinds: frozenset[str] = frozenset()
    rules: Rules = Rules()
    stacks: int = 1
    organisation: bool = True
    """Whether the runs have an OAuth client for the organisation's list."""
    permit_life: int = 1
    creation_time: int = 1
    list_lag: int = 1
    clock_skew: int = 0
    """The maximum difference between Qlik's clocks, as the runs assume it."""
    proof_clock_ahead: int = 0
    creation_clock_ahead: int = 0
    list_clock_ahead: int = 0
    """The real differences of Qlik's clocks: for the proof, for the times in the list, and for reading it."""
    machine_clock_ahead: int = 0
    """The difference of the clocks of the runners."""
    our_creator: str = "us"
    """The creator of our tenants in the list: "us", "nobody" or "somebody"."""
    other_creator: str = "somebody"
    """The creator of other people's tenants in the list."""
    second_tenant_mishaps: frozenset[str] = frozenset({DESTROY_STACK, ROLL_BACK_STATE, CLEAR_LOCK})
    """The mishaps after which a stack can create a second tenant."""

    @property
    def _proof_ahead(self) -> int:
        return (
            self.proof_clock_ahead if self.rules.proof_time_source == "Qlik's" else self.machine_clock_ahead
        )

    def is_conclusive(self, age: int) -> bool:
        """Tell whether a list that is read now is conclusive for a proof of this age."""
        parts = {
            PERMIT_LIFE: self.permit_life,
            CREATION_TIME: self.creation_time,
            LIST_LAG: self.list_lag,
            CLOCK_SKEW: self.clock_skew,
        }
        return age + self.list_clock_ahead - self._proof_ahead > sum(
            parts[part] for part in self.rules.waits_for
        )

    def lists_as_newer(self, delay: int) -> bool:
        """Tell whether the list shows a tenant, created `delay` units after a proof, as no older than it."""
        return delay + self.creation_clock_ahead - self._proof_ahead + self.clock_skew >= 0

    @property
    def max_proof_age(self) -> int:
        """The age beyond which all ages of proofs are equivalent."""
        clocks = (
            self.clock_skew
            + self.list_clock_ahead
            + abs(self.machine_clock_ahead)
            + self.proof_clock_ahead
            + self.creation_clock_ahead
        )
        return self.permit_life + self.creation_time + self.list_lag + clocks + 1
