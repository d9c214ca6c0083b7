"""The registrations of a program, compared with a state."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.fleet.unchanged.doubt import Doubt
from tenantry.fleet.unchanged.program import Comparison
from tenantry.fleet.unchanged.recorded import RecordedState
from tenantry.fleet.unchanged.secrets import Assumptions
from tests.fleet.unchanged.states import COMPONENT, INPUTS, OUTPUTS, SPACE, STACK, registrations, state


def compare(changed_state: dict[str, Any] | None = None, **space: Any) -> Comparison:
    """Return the comparison after all registrations of the program."""
    comparison = Comparison("tenantry", "acme", RecordedState.of(changed_state or state()), Assumptions())
    for registration in registrations(**space):
        comparison.register(registration)
    return comparison


def test_an_unchanged_program_gets_the_resources_of_the_state() -> None:
    comparison = Comparison("tenantry", "acme", RecordedState.of(state()), Assumptions())
    registered = [comparison.register(registration) for registration in registrations()]
    assert [(resource.urn, resource.id) for resource in registered] == [
        (STACK, ""),
        (COMPONENT, ""),
        (SPACE, "s1"),
    ]
    assert registered[2].outputs == {**INPUTS, "owner": "u1"}
    for urn in (COMPONENT, STACK):
        comparison.register_outputs(urn, OUTPUTS)
    assert comparison.doubt is None
    assert comparison.registered == {STACK, COMPONENT, SPACE}
    assert comparison.finished == comparison.components == {STACK, COMPONENT}


@pytest.mark.parametrize(
    ("space", "reason"),
    [
        ({"name": "Other"}, "is new"),
        ({"inputs": {**INPUTS, "description": "More"}}, "its inputs"),
        ({"inputs": {**INPUTS, "nmae": "x"}}, "refused"),
        ({"inputs": {**INPUTS, "__provider": "x"}}, "its provider's string"),
        ({"protect": True}, "its options"),
        ({"deleted_with": STACK}, "its options"),
        ({"dependencies": frozenset({STACK})}, "its options"),
        ({"property_dependencies": {}}, "its options"),
        ({"secret_outputs": frozenset({"client_secret"})}, "its options"),
        ({"others": ("ignoreChanges",)}, "ignoreChanges"),
    ],
)
def test_a_space_that_differs_is_in_doubt(space: dict[str, Any], reason: str) -> None:
    with pytest.raises(Doubt, match=reason):
        compare(**space)


def test_unexpected_values_of_the_state_are_in_doubt() -> None:
    for key, value, reason in (
        ("provider", "another", "its provider"),
        ("outputs", {**INPUTS, "postponed": ["name"]}, "sees a change"),
    ):
        changed_state = state()
        changed_state["deployment"]["resources"][3][key] = value
        with pytest.raises(Doubt, match=reason):
            compare(changed_state)


def test_other_outputs_messages_and_calls_are_in_doubt() -> None:
    comparison = compare()
    with pytest.raises(Doubt, match="its outputs"):
        comparison.register_outputs(STACK, {**OUTPUTS, "more": 1})
    with pytest.raises(Doubt, match="not valid JSON"):
        comparison.register_outputs(STACK, {"secret": object()})
    with pytest.raises(Doubt, match="calls Invoke"):
        comparison.call("Invoke")
    with pytest.raises(Doubt, match="prints: careful"):
        comparison.say("careful")
    assert "its outputs" in str(comparison.doubt), "the comparison keeps its first doubt"
