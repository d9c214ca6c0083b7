"""The scenarios to search: small ones for each test run, larger ones, broken protocols, and exceptions.

The bound of a scenario is its number of mishaps, which happen in every order and at every moment. At most two
runs are active at a time. Nothing else is bounded: the search follows runs, proofs and time as long as they
lead to new states.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from tests.protocol import model
from tests.protocol.checker import SearchResult, search
from tests.protocol.rules import (
    CHANGE_CUSTOMER_NAME,
    CLEAR_LOCK,
    CLOCK_SKEW,
    COPY_STATE,
    CREATION_TIME,
    DESTROY_STACK,
    EXPIRE_PERMIT,
    FOREIGN_TENANT,
    KILL_ENGINE,
    KILL_RUN,
    LIST_LAG,
    LOSE_DISK,
    LOSE_POST,
    LOSE_RESPONSE,
    PERMIT_LIFE,
    REFUSE_NAME,
    REFUSE_POST,
    RENAME_STACK,
    REUSE_NAME,
    ROLL_BACK_STATE,
    SLEEP,
    Rules,
    Scenario,
)
from tests.protocol.state import State

RUN_MISHAPS = frozenset(
    {KILL_RUN, KILL_ENGINE, EXPIRE_PERMIT, REFUSE_POST, LOSE_POST, LOSE_RESPONSE, REFUSE_NAME, LOSE_DISK}
)
STACK_MISHAPS = frozenset(
    {CLEAR_LOCK, DESTROY_STACK, ROLL_BACK_STATE, COPY_STATE, RENAME_STACK, FOREIGN_TENANT}
)
ALL_MISHAPS = RUN_MISHAPS | STACK_MISHAPS
LOST_RESULT = frozenset({KILL_RUN, LOSE_RESPONSE, KILL_ENGINE})


def check(scenario: Scenario) -> SearchResult[State]:
    """Search a scenario and check all of its invariants."""
    return search(
        model.initial(scenario),
        model.steps(scenario),
        model.invariants(scenario),
        (model.PROGRESS, model.is_done),
    )


QUICK_SCENARIOS = {
    "two failures of runs": Scenario(2, RUN_MISHAPS),
    "two failures of runs, no organisation": Scenario(2, RUN_MISHAPS, organisation=False),
    "any one mishap": Scenario(1, ALL_MISHAPS),
    "any one mishap, no organisation": Scenario(1, ALL_MISHAPS, organisation=False),
    "destroyed": Scenario(2, frozenset({KILL_RUN, LOSE_RESPONSE, REFUSE_POST, DESTROY_STACK})),
    "rolled back": Scenario(2, frozenset({KILL_RUN, LOSE_RESPONSE, REFUSE_POST, ROLL_BACK_STATE})),
    "copied and renamed": Scenario(2, frozenset({COPY_STATE, RENAME_STACK, LOSE_DISK})),
    "copied from killed runs": Scenario(2, frozenset({COPY_STATE, KILL_RUN})),
    "copied while others create tenants": Scenario(2, frozenset({COPY_STATE, FOREIGN_TENANT})),
    "wrongly considered dead while it sleeps": Scenario(2, frozenset({CLEAR_LOCK, SLEEP})),
    "two stacks at once": Scenario(0, stacks=2),
    "a customer with many names": Scenario(4, frozenset({KILL_RUN, CHANGE_CUSTOMER_NAME})),
    "Qlik's clocks differ, the list's is ahead": Scenario(2, LOST_RESULT, clock_skew=1, list_clock_ahead=1),
    "Qlik's clocks differ, the proof's is ahead": Scenario(2, LOST_RESULT, clock_skew=1, proof_clock_ahead=1),
    "machine's clock ahead, creators missing": Scenario(
        1, RUN_MISHAPS, machine_clock_ahead=4, our_creator="nobody"
    ),
    "machine's clock behind, creators wrong": Scenario(
        1, RUN_MISHAPS | {FOREIGN_TENANT}, machine_clock_ahead=-4, our_creator="somebody", other_creator="us"
    ),
}


def _pairs_of_mishaps() -> dict[str, Scenario]:
    """Return a scenario for each pair of mishaps, because one for all of them has too many states."""
    pairs = [frozenset(pair) for pair in combinations(sorted(STACK_MISHAPS), 2)]
    pairs += [frozenset({mishap}) | RUN_MISHAPS for mishap in sorted(STACK_MISHAPS)]
    return {
        f"{', '.join(sorted(pair & STACK_MISHAPS))}{', failures of runs' if pair & RUN_MISHAPS else ''}"
        f"{'' if organisation else ', no organisation'}": Scenario(2, pair, organisation=organisation)
        for pair in pairs
        for organisation in (True, False)
    }


DEEP_SCENARIOS = (
    _pairs_of_mishaps()
    | {
        "three failures of runs": Scenario(3, RUN_MISHAPS),
        "any one mishap, longer times": Scenario(1, ALL_MISHAPS, permit_life=2, creation_time=3, list_lag=2),
        "two failures of runs, longer times": Scenario(
            2, RUN_MISHAPS, permit_life=2, creation_time=2, list_lag=3
        ),
        "destroyed, rolled back and killed": Scenario(
            3, frozenset({KILL_RUN, DESTROY_STACK, ROLL_BACK_STATE})
        ),
        "wrongly considered dead while it sleeps, and refused": Scenario(
            2, frozenset({CLEAR_LOCK, SLEEP, REFUSE_POST})
        ),
        "two stacks at once, one mishap": Scenario(
            1, frozenset({KILL_RUN, LOSE_RESPONSE, FOREIGN_TENANT}), stacks=2
        ),
        "a customer with many names, and destroyed": Scenario(
            3, frozenset({KILL_RUN, CHANGE_CUSTOMER_NAME, DESTROY_STACK, LOSE_DISK})
        ),
    }
    | {
        f"Qlik's clocks differ: proof +{proof}, creation +{creation}, list +{reading}": Scenario(
            2,
            RUN_MISHAPS,
            clock_skew=1,
            proof_clock_ahead=proof,
            creation_clock_ahead=creation,
            list_clock_ahead=reading,
        )
        for proof, creation, reading in ((0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0))
    }
)


class ExpectedViolation(NamedTuple):
    """A scenario in which the search must find a counterexample, and the invariant that this violates."""

    scenario: Scenario
    invariant: str


def _without(part: str) -> Rules:
    return Rules(
        waits_for=tuple(
            duration for duration in (PERMIT_LIFE, CREATION_TIME, LIST_LAG, CLOCK_SKEW) if duration != part
        )
    )


BROKEN_PROTOCOLS = {
    "a POST under an old proof": ExpectedViolation(
        Scenario(2, frozenset({LOSE_RESPONSE, LOSE_POST}), Rules(posts_under_old_proof=True)), model.ONE_POST
    ),
    "the only unnamed candidate is taken": ExpectedViolation(
        Scenario(
            2, frozenset({KILL_RUN, FOREIGN_TENANT}), Rules(takes_single_candidate=True), other_creator="us"
        ),
        model.EVIDENCE,
    ),
    "the creators in the list are trusted": ExpectedViolation(
        Scenario(1, LOST_RESULT, Rules(trusts_creators=True), our_creator="nobody"), model.CANDIDATE
    ),
    "no wait for the permit's life": ExpectedViolation(
        Scenario(2, LOST_RESULT, _without(PERMIT_LIFE)), model.NOTHING_CREATED
    ),
    "no wait for the longest creation": ExpectedViolation(
        Scenario(2, LOST_RESULT, _without(CREATION_TIME)), model.NOTHING_CREATED
    ),
    "no wait for the list's lag": ExpectedViolation(
        Scenario(2, LOST_RESULT, _without(LIST_LAG)), model.NOTHING_CREATED
    ),
    "no wait for the clocks' skew": ExpectedViolation(
        Scenario(2, LOST_RESULT, _without(CLOCK_SKEW), clock_skew=1, list_clock_ahead=1),
        model.NOTHING_CREATED,
    ),
    "the proof's time is the machine's, ahead": ExpectedViolation(
        Scenario(2, LOST_RESULT, Rules(proof_time_source="the machine's"), machine_clock_ahead=1),
        model.CANDIDATE,
    ),
    "the proof's time is the machine's, behind": ExpectedViolation(
        Scenario(2, LOST_RESULT, Rules(proof_time_source="the machine's"), machine_clock_ahead=-1),
        model.NOTHING_CREATED,
    ),
    "a note without the stack's identity": ExpectedViolation(
        Scenario(2, frozenset({KILL_RUN, COPY_STATE}), Rules(note_names_stack=False)), model.EVIDENCE
    ),
    "a renewal of any proof in the state": ExpectedViolation(
        Scenario(2, frozenset({REFUSE_POST, LOSE_RESPONSE}), Rules(renewal_names_proof=False)),
        model.NOTHING_CREATED,
    ),
    "only unnamed candidates": ExpectedViolation(
        Scenario(2, LOST_RESULT, Rules(considers_named=False)), model.CANDIDATE
    ),
    "only active candidates": ExpectedViolation(
        Scenario(2, frozenset({KILL_RUN, DESTROY_STACK}), Rules(considers_deactivated=False)), model.CANDIDATE
    ),
    "a newer name before the state has the tenant": ExpectedViolation(
        Scenario(4, frozenset({KILL_RUN, CHANGE_CUSTOMER_NAME}), Rules(postpones_newer_name=False)),
        model.CANDIDATE,
    ),
    "a permit without an end": ExpectedViolation(
        Scenario(2, frozenset({KILL_ENGINE, EXPIRE_PERMIT}), Rules(permit_counts_from="never")),
        model.NOTHING_CREATED,
    ),
    "a permit whose life starts at the response": ExpectedViolation(
        Scenario(2, frozenset({KILL_ENGINE, EXPIRE_PERMIT}), Rules(permit_counts_from="after the response")),
        model.NOTHING_CREATED,
    ),
    "a permit that does not age while the machine sleeps": ExpectedViolation(
        Scenario(2, frozenset({CLEAR_LOCK, SLEEP}), Rules(permit_ages_in_sleep=False)), model.NOTHING_CREATED
    ),
    "a permit that is checked too early": ExpectedViolation(
        Scenario(2, frozenset({KILL_ENGINE, EXPIRE_PERMIT}), Rules(permit_check="when taken")),
        model.NOTHING_CREATED,
    ),
    "a deactivated tenant stops only the first proof": ExpectedViolation(
        Scenario(1, frozenset({DESTROY_STACK}), Rules(stops_at_deactivated="once")), model.DEACTIVATED
    ),
    "a deactivated tenant stops no renewed proof": ExpectedViolation(
        Scenario(2, frozenset({DESTROY_STACK, REFUSE_POST}), Rules(stops_at_deactivated="unless renewed")),
        model.DEACTIVATED,
    ),
    "a person who pastes any candidate": ExpectedViolation(
        Scenario(1, frozenset({COPY_STATE}), Rules(person_knows_owners=False)), model.ONE_HOLDER
    ),
    "a person who renews too early": ExpectedViolation(
        Scenario(2, frozenset({LOSE_RESPONSE, FOREIGN_TENANT}), Rules(person_waits=False)),
        model.NOTHING_CREATED,
    ),
    "a person who cannot renew": ExpectedViolation(
        Scenario(2, frozenset({KILL_RUN, FOREIGN_TENANT}), Rules(person_renews=False)), model.PROGRESS
    ),
}
"""Protocols that break one rule each, for the runs or for the person."""

NOT_GUARANTEED = {
    "a state rolled back over a change of the customer's name, and then another name": ExpectedViolation(
        Scenario(3, frozenset({ROLL_BACK_STATE, CHANGE_CUSTOMER_NAME})), model.CANDIDATE
    ),
    "a copy of the state under the former name of a renamed stack": ExpectedViolation(
        Scenario(3, frozenset({COPY_STATE, RENAME_STACK, REUSE_NAME})), model.EVIDENCE
    ),
    "a second tenant after a destroy": ExpectedViolation(
        Scenario(2, frozenset({LOSE_RESPONSE, DESTROY_STACK}), second_tenant_mishaps=frozenset()),
        model.ONE_TENANT,
    ),
    "a second tenant after a roll-back": ExpectedViolation(
        Scenario(1, frozenset({ROLL_BACK_STATE}), second_tenant_mishaps=frozenset()), model.ONE_TENANT
    ),
    "a second tenant after the lock of a living run was cleared": ExpectedViolation(
        Scenario(2, frozenset({CLEAR_LOCK, REFUSE_POST}), second_tenant_mishaps=frozenset()), model.ONE_TENANT
    ),
}
"""Cases in which an invariant does not hold, as `model` and `Scenario.second_tenant_mishaps` say."""
