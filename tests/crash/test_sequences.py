"""Several stacks, machines and backends: each stack gets its own tenant after any sequence of actions.

These sequences are fixed. `python -m tests.crash.sequences` tries many more random ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.actions import SETTLED_SECONDS, Actions
from tests.crash.invariants import InvariantViolated
from tests.crash.multi_stack_lab import (
    DESTROY_DISRUPTIONS,
    UP_DISRUPTIONS,
    MultiStackLab,
    StackLocation,
    tenants_in,
)
from tests.crash.mutations import MUTATIONS, QUICK
from tests.crash.sequences import LONG_SECONDS, search

pytestmark = pytest.mark.timeout(3600)

GLOBEX, INITECH = StackLocation("east", "globex"), StackLocation("east", "initech")


@pytest.fixture
def lab(scratch: Path) -> Iterator[MultiStackLab]:
    """An emulator, and folders for the stacks."""
    with MultiStackLab(scratch) as lab:
        yield lab


@pytest.mark.parametrize("number", range(4))
def test_all_invariants_hold_in_random_sequences(lab: MultiStackLab, number: int) -> None:
    search(lab, examples=12, steps=14, number=number)


@pytest.mark.parametrize("name", QUICK)
def test_the_search_finds_a_broken_product(scratch: Path, name: str) -> None:
    """The other mutations take longer: `python -m tests.crash.sequences --mutations`."""
    with (
        MultiStackLab(scratch, MUTATIONS[name].apply) as lab,
        pytest.raises(InvariantViolated, match=MUTATIONS[name].invariant),
    ):
        search(lab, examples=80, steps=14, number=0, shrink=False)


def test_a_stack_gets_a_new_tenant_after_a_killed_destroy_and_a_purge(lab: MultiStackLab) -> None:
    """The next run names the command that leads to a new tenant."""
    actions = Actions(lab, (GLOBEX,))
    (stack,) = actions.stacks
    actions.up(stack)
    actions.run(stack, "destroy", disruption=DESTROY_DISRUPTIONS["killed after the deactivation"])
    actions.wait(LONG_SECONDS)
    assert "tenantry forget" in "\n".join(actions.up(stack).errors)
    actions.follow_until_done(stack)


def test_the_proof_knows_the_name_of_a_tenant_that_is_in_no_state(lab: MultiStackLab) -> None:
    """Runs are killed while the name in the file changes twice. The next run still finds the tenant."""
    actions = Actions(lab, (GLOBEX,))
    (stack,) = actions.stacks
    actions.up(stack, disruption=UP_DISRUPTIONS["killed before the name request"])
    stack.file["name"] = "Initech"
    actions.up(stack, disruption=UP_DISRUPTIONS["killed after the name request"])
    stack.file["name"] = "Hooli"
    actions.wait(SETTLED_SECONDS)
    actions.follow_until_done(stack, machine="b")
    assert [tenant["name"] for tenant in lab.created_tenants] == ["Hooli"]


def test_a_namesake_destroyed_between_two_renewals_stops_the_run(lab: MultiStackLab) -> None:
    """If a proof was renewed for another reason, the person may not want a second tenant."""
    actions = Actions(lab, (GLOBEX, INITECH))
    stack, namesake = actions.stacks
    namesake.file["name"] = stack.file["name"]
    actions.up(stack, disruption=UP_DISRUPTIONS["the create request is refused"])
    actions.up(stack)
    actions.follow_message(stack, disruption=UP_DISRUPTIONS["the create request is refused"])
    actions.up(namesake)
    actions.run(namesake, "destroy")
    actions.up(stack)
    actions.follow_until_done(stack)


def test_a_copied_state_under_the_former_name_of_a_stack_shares_the_tenant(lab: MultiStackLab) -> None:
    """No invariant covers this case, because a run cannot distinguish the copy from the original stack."""
    actions = Actions(lab, (GLOBEX, INITECH))
    stack, other = actions.stacks
    actions.up(stack, disruption=UP_DISRUPTIONS["killed before the name request"])
    actions.rename(stack, "umbrella")
    actions.rename(other, "globex")
    actions.import_state(other, stack.history[-1])
    actions.up(other)
    actions.follow_until_done(stack)
    assert tenants_in(lab.state_of(stack.location)) == tenants_in(lab.state_of(other.location))
