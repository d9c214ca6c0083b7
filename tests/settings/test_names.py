"""Names of resources with two keys: no two pairs share a name, and ordinary names never change."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.settings import names
from tests.settings.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"
parts = st.lists(
    st.sampled_from(["Sales", "EMEA", " in", "in ", " in ", " ", '"', "\\", "user ", "bot ", "in", "é"]),
    min_size=1,
    max_size=4,
).map("".join)


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(one=st.tuples(parts, parts), other=st.tuples(parts, parts))
def test_no_two_pairs_share_a_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    functions = (names.access, names.user_access, names.bot_access)
    for a, b in product(functions, functions):
        assert (a(*one) == b(*other)) == ((a, one) == (b, other))
    assert (names.publication(*one) == names.publication(*other)) == (one == other)


def test_ordinary_names_never_change() -> None:
    assert names.access("Sales", "Viewers") == "Viewers in Sales"
    assert names.access("Back in Black", "Investors in People".replace(" in ", "-in-")) == (
        "Investors-in-People in Back in Black"
    )
    assert names.user_access("Sales", "Ada") == "user Ada in Sales"
    assert names.bot_access("Sales", "b1") == "bot b1 in Sales"
    assert names.publication("Overview", "Sales") == "Overview in Sales"
    assert names.former_pair_names(names.access, "Sales", None, "Viewers", None) == []


def test_ambiguous_names_are_quoted_and_have_their_former_name() -> None:
    assert names.access("Q1", "Sales in EMEA") == '"Sales in EMEA" in Q1'
    assert names.access("Q1", "user Ada") == '"user Ada" in Q1'
    assert names.former_pair_names(names.access, "Q1", None, "Sales in EMEA", None) == ["Sales in EMEA in Q1"]


@pytest.mark.parametrize(
    ("customer", "one", "other", "name"),
    [
        (
            "spaces: {Q1: {type: shared, access: {Sales in EMEA: [producer]}},\n"
            "  EMEA in Q1: {type: shared, access: {Sales: [producer]}}}\ngroups: {Sales in EMEA: , Sales: }",
            '6: customer.spaces.Q1.access.Sales in EMEA: the access of group "Sales in EMEA" to space "Q1"',
            '7: customer.spaces.EMEA in Q1.access.Sales: the access of group "Sales" to space "EMEA in Q1"',
            "Sales in EMEA in Q1",
        ),
        (
            "spaces: {S: {type: shared, access: {user Ada: [producer]},\n"
            "  user_access: {Ada: [producer]}}}\ngroups: {user Ada: }\nusers: {Ada: {subject: a}}",
            '6: customer.spaces.S.access.user Ada: the access of group "user Ada" to space "S"',
            '7: customer.spaces.S.user_access.Ada: the access of person "Ada" to space "S"',
            "user Ada in S",
        ),
        (
            "spaces: {T: {type: shared}, Q1: {type: managed}, EMEA in Q1: {type: managed}}\napps:\n"
            '  Sales in EMEA: {template: T, version: "1", staging: T, publish_to: [Q1]}\n'
            '  Sales: {template: T, version: "1", staging: T, publish_to: [EMEA in Q1]}',
            '8: customer.apps.Sales in EMEA.publish_to: the publication of app "Sales in EMEA" in space "Q1"',
            '9: customer.apps.Sales.publish_to: the publication of app "Sales" in space "EMEA in Q1"',
            "Sales in EMEA in Q1",
        ),
    ],
    ids=["joined", "prefix", "publications"],
)
def test_two_pairs_with_the_same_former_name_are_refused(
    folder: Folder, customer: str, one: str, other: str, name: str
) -> None:
    """Each of the two problems names the other pair."""
    descriptions = [problem.rpartition(": ")[2] for problem in (one, other)]
    assert folder.write(customer).problems() == [
        f'{FILE}:{place} has the name "{name}" in the state, like {pair}; rename one of these keys'
        for place, pair in zip((one, other), reversed(descriptions), strict=True)
    ]
