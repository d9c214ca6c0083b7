"""The worlds to search: small ones for each test run, larger ones, broken protocols, and unpromised cases.

The bound of a world is its number of mishaps, which happen in every order and at every moment. At most two
runs are active at a time. Nothing else is bounded: runs, proofs and time go on while they lead to new states.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from tests.protocol import model
from tests.protocol.checker import Found, search
from tests.protocol.rules import (
    CLEAR,
    COPY,
    CREATION,
    CUSTOMER,
    DESTROY,
    DROP,
    FOREIGN,
    KILL,
    LAG,
    LIFE,
    LOSE,
    OUTLIVE,
    REFUSE,
    RENAME,
    REUSE,
    ROLL_BACK,
    SKEW,
    SLEEP,
    SLOW,
    UNNAMED,
    WIPE,
    Rules,
    World,
)
from tests.protocol.state import State

TO_RUNS = frozenset({KILL, OUTLIVE, SLOW, REFUSE, DROP, LOSE, UNNAMED, WIPE})
TO_STACKS = frozenset({CLEAR, DESTROY, ROLL_BACK, COPY, RENAME, FOREIGN})
ALL = TO_RUNS | TO_STACKS
LOST = frozenset({KILL, LOSE, OUTLIVE})


def check(world: World) -> Found[State]:
    """Search a world and check all of its promises."""
    return search(
        model.initial(world),
        model.steps(world),
        model.invariants(world),
        (model.PROGRESS, model.reached),
    )


QUICK = {
    "two failures of runs": World(2, TO_RUNS),
    "two failures of runs, no organisation": World(2, TO_RUNS, organisation=False),
    "any one mishap": World(1, ALL),
    "any one mishap, no organisation": World(1, ALL, organisation=False),
    "destroyed": World(2, frozenset({KILL, LOSE, REFUSE, DESTROY})),
    "rolled back": World(2, frozenset({KILL, LOSE, REFUSE, ROLL_BACK})),
    "copied and renamed": World(2, frozenset({COPY, RENAME, WIPE})),
    "copied from killed runs": World(2, frozenset({COPY, KILL})),
    "copied while others make tenants": World(2, frozenset({COPY, FOREIGN})),
    "taken for dead while it sleeps": World(2, frozenset({CLEAR, SLEEP})),
    "two stacks at once": World(0, stacks=2),
    "a customer of many names": World(4, frozenset({KILL, CUSTOMER})),
    "Qlik's clocks apart, the list's ahead": World(2, LOST, skew=1, list_ahead=1),
    "Qlik's clocks apart, the proof's ahead": World(2, LOST, skew=1, register_ahead=1),
    "machine ahead, makers missing": World(1, TO_RUNS, machine_ahead=4, our_maker="nobody"),
    "machine behind, makers foreign": World(
        1, TO_RUNS | {FOREIGN}, machine_ahead=-4, our_maker="somebody", other_maker="us"
    ),
}


def _two_of_all() -> dict[str, World]:
    """Any two mishaps, one world per pair, because one world with all of them has too many states."""
    pairs = [frozenset(pair) for pair in combinations(sorted(TO_STACKS), 2)]
    pairs += [frozenset({one}) | TO_RUNS for one in sorted(TO_STACKS)]
    return {
        f"{', '.join(sorted(pair & TO_STACKS))}{', failures of runs' if pair & TO_RUNS else ''}"
        f"{'' if organisation else ', no organisation'}": World(2, pair, organisation=organisation)
        for pair in pairs
        for organisation in (True, False)
    }


DEEP = (
    _two_of_all()
    | {
        "three failures of runs": World(3, TO_RUNS),
        "any one mishap, longer times": World(1, ALL, life=2, creation=3, lag=2),
        "two failures of runs, longer times": World(2, TO_RUNS, life=2, creation=2, lag=3),
        "destroyed, rolled back and killed": World(3, frozenset({KILL, DESTROY, ROLL_BACK})),
        "taken for dead while it sleeps, and refused": World(2, frozenset({CLEAR, SLEEP, REFUSE})),
        "two stacks at once, one mishap": World(1, frozenset({KILL, LOSE, FOREIGN}), stacks=2),
        "a customer of many names, and destroyed": World(3, frozenset({KILL, CUSTOMER, DESTROY, WIPE})),
    }
    | {
        f"Qlik's clocks apart: proof +{proof}, creation +{made}, list +{read}": World(
            2, TO_RUNS, skew=1, register_ahead=proof, created_ahead=made, list_ahead=read
        )
        for proof, made, read in ((0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0))
    }
)


class Broken(NamedTuple):
    """A world in which the search must find a counterexample, and the promise that it breaks."""

    world: World
    promise: str


def _without(part: str) -> Rules:
    return Rules(waits_for=tuple(duration for duration in (LIFE, CREATION, LAG, SKEW) if duration != part))


BROKEN = {
    "a POST under an old proof": Broken(
        World(2, frozenset({LOSE, DROP}), Rules(posts_under_old_proof=True)), model.ONE_POST
    ),
    "the only unnamed candidate is taken": Broken(
        World(2, frozenset({KILL, FOREIGN}), Rules(takes_only_candidate=True), other_maker="us"),
        model.EVIDENCE,
    ),
    "the list's makers are trusted": Broken(
        World(1, LOST, Rules(trusts_makers=True), our_maker="nobody"), model.CANDIDATE
    ),
    "no wait for the permit's life": Broken(World(2, LOST, _without(LIFE)), model.NOTHING_MADE),
    "no wait for the longest creation": Broken(World(2, LOST, _without(CREATION)), model.NOTHING_MADE),
    "no wait for the list's lag": Broken(World(2, LOST, _without(LAG)), model.NOTHING_MADE),
    "no wait for the clocks' skew": Broken(
        World(2, LOST, _without(SKEW), skew=1, list_ahead=1), model.NOTHING_MADE
    ),
    "the proof's time is the machine's, ahead": Broken(
        World(2, LOST, Rules(time_of_proof="the machine's"), machine_ahead=1), model.CANDIDATE
    ),
    "the proof's time is the machine's, behind": Broken(
        World(2, LOST, Rules(time_of_proof="the machine's"), machine_ahead=-1), model.NOTHING_MADE
    ),
    "a note without the stack's identity": Broken(
        World(2, frozenset({KILL, COPY}), Rules(note_has_identity=False)), model.EVIDENCE
    ),
    "a renewal of whichever proof is there": Broken(
        World(2, frozenset({REFUSE, LOSE}), Rules(renewal_names_proof=False)), model.NOTHING_MADE
    ),
    "only unnamed candidates": Broken(World(2, LOST, Rules(candidates_named=False)), model.CANDIDATE),
    "only active candidates": Broken(
        World(2, frozenset({KILL, DESTROY}), Rules(candidates_deactivated=False)), model.CANDIDATE
    ),
    "a newer name before the state has the tenant": Broken(
        World(4, frozenset({KILL, CUSTOMER}), Rules(names_newer_later=False)), model.CANDIDATE
    ),
    "a permit without an end": Broken(
        World(2, frozenset({OUTLIVE, SLOW}), Rules(permit_counts_from="never")), model.NOTHING_MADE
    ),
    "a permit that counts from the answer": Broken(
        World(2, frozenset({OUTLIVE, SLOW}), Rules(permit_counts_from="after the answer")), model.NOTHING_MADE
    ),
    "a permit that sleeps with the machine": Broken(
        World(2, frozenset({CLEAR, SLEEP}), Rules(permit_counts_sleep=False)), model.NOTHING_MADE
    ),
    "a permit that is looked at too early": Broken(
        World(2, frozenset({OUTLIVE, SLOW}), Rules(permit_checked="when spent")), model.NOTHING_MADE
    ),
    "a deactivated tenant stops only the first proof": Broken(
        World(1, frozenset({DESTROY}), Rules(asks_about_deactivated="once")), model.DEACTIVATED
    ),
    "a deactivated tenant stops no renewed proof": Broken(
        World(2, frozenset({DESTROY, REFUSE}), Rules(asks_about_deactivated="unless renewed")),
        model.DEACTIVATED,
    ),
    "a person who pastes any candidate": Broken(
        World(1, frozenset({COPY}), Rules(person_knows=False)), model.ONE_HOLDER
    ),
    "a person who renews before the time": Broken(
        World(2, frozenset({LOSE, FOREIGN}), Rules(person_waits=False)), model.NOTHING_MADE
    ),
    "a person who cannot renew": Broken(
        World(2, frozenset({KILL, FOREIGN}), Rules(person_renews=False)), model.PROGRESS
    ),
}
"""Protocols that each break a rule, or a rule for the person, in one place."""

NOT_PROMISED = {
    "a state rolled back over a change of the customer's name, and then another name": Broken(
        World(3, frozenset({ROLL_BACK, CUSTOMER})), model.CANDIDATE
    ),
    "a copy of the state under the former name of a renamed stack": Broken(
        World(3, frozenset({COPY, RENAME, REUSE})), model.EVIDENCE
    ),
    "a second tenant after a destroy": Broken(
        World(2, frozenset({LOSE, DESTROY}), excuses=frozenset()), model.ONE_TENANT
    ),
    "a second tenant after a roll-back": Broken(
        World(1, frozenset({ROLL_BACK}), excuses=frozenset()), model.ONE_TENANT
    ),
    "a second tenant after the lock of a living run was cleared": Broken(
        World(2, frozenset({CLEAR, REFUSE}), excuses=frozenset()), model.ONE_TENANT
    ),
}
"""Cases in which a promise does not hold, and that the protocol does not promise."""
