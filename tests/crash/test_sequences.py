"""Several stacks, two machines, two backends: each stack gets its own tenant after any sequence of actions.

These sequences are fixed. `python -m tests.crash.sequences` tries many more random ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.deeds import SETTLED_SECONDS, Actions
from tests.crash.mutations import MUTATIONS, QUICK
from tests.crash.sequences import LONG, search
from tests.crash.site import STRIKES, STRIKES_OF_DESTROY, Place, Site, tenants_in
from tests.crash.truth import PromiseBroken

pytestmark = pytest.mark.timeout(3600)

GLOBEX, INITECH = Place("east", "globex"), Place("east", "initech")


@pytest.fixture
def site(scratch: Path) -> Iterator[Site]:
    """An emulator, and folders for the stacks."""
    with Site(scratch) as made:
        yield made


@pytest.mark.parametrize("number", range(4))
def test_all_promises_hold_in_random_sequences(site: Site, number: int) -> None:
    search(site, examples=12, steps=14, number=number)


@pytest.mark.parametrize("name", QUICK)
def test_a_broken_product_is_found(scratch: Path, name: str) -> None:
    """The other mutations take longer: `python -m tests.crash.sequences --mutations`."""
    with (
        Site(scratch, MUTATIONS[name].breaks) as site,
        pytest.raises(PromiseBroken, match=MUTATIONS[name].promise),
    ):
        search(site, examples=80, steps=14, number=0, shrink=False)


def test_a_tenant_that_was_purged_while_its_destroy_was_cut_off(site: Site) -> None:
    """The next run names the solution, which leads to a new tenant."""
    deeds = Actions(site, (GLOBEX,))
    (stack,) = deeds.stacks
    deeds.up(stack)
    deeds.run(stack, "destroy", strike=STRIKES_OF_DESTROY["killed after the deactivation"])
    deeds.wait(LONG)
    assert "tenantry forget" in "\n".join(deeds.up(stack).errors)
    deeds.follow_until_done(stack)


def test_a_customer_of_many_names(site: Site) -> None:
    """A tenant that is in no state has only names that its proof knows, even after changes in the file."""
    deeds = Actions(site, (GLOBEX,))
    (stack,) = deeds.stacks
    deeds.up(stack, strike=STRIKES["killed when it is named"])
    stack.file["name"] = "Initech"
    deeds.up(stack, strike=STRIKES["killed after it is named"])
    stack.file["name"] = "Hooli"
    deeds.wait(SETTLED_SECONDS)
    deeds.follow_until_done(stack, machine="b")
    assert [tenant["name"] for tenant in site.made] == ["Hooli"]


def test_a_namesake_that_is_destroyed_between_two_renewals(site: Site) -> None:
    """The renewal of a proof for another reason does not mean that the person wants a second tenant."""
    deeds = Actions(site, (GLOBEX, INITECH))
    stack, namesake = deeds.stacks
    namesake.file["name"] = stack.file["name"]
    deeds.up(stack, strike=STRIKES["the request is refused"])
    deeds.up(stack)
    deeds.answer(stack, strike=STRIKES["the request is refused"])
    deeds.up(namesake)
    deeds.run(namesake, "destroy")
    deeds.up(stack)
    deeds.follow_until_done(stack)


def test_a_copy_under_the_former_name_of_a_stack(site: Site) -> None:
    """There is no promise here, because the copy cannot be distinguished from the original stack."""
    deeds = Actions(site, (GLOBEX, INITECH))
    stack, other = deeds.stacks
    deeds.up(stack, strike=STRIKES["killed when it is named"])
    deeds.rename(stack, "umbrella")
    deeds.rename(other, "globex")
    deeds.import_state(other, stack.history[-1])
    deeds.up(other)
    deeds.follow_until_done(stack)
    assert tenants_in(site.state_of(stack.place)) == tenants_in(site.state_of(other.place))
