"""The conditions for a state in which the engine has nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.fleet.unchanged.doubt import Doubt
from tenantry.fleet.unchanged.recorded import RecordedState
from tests.fleet.unchanged.states import CONFIG, PROVIDER, SALT, SPACE, state

Deployment = dict[str, Any]


def test_a_state_of_the_engine_is_accepted() -> None:
    recorded = RecordedState.of(state())
    assert (recorded.config, recorded.salt) == (CONFIG, SALT)
    assert recorded.provider_reference == f"{PROVIDER}::p1"
    assert recorded.is_dynamic(SPACE)
    assert not recorded.is_dynamic(PROVIDER)
    with pytest.raises(Doubt, match="is new"):
        recorded.entry(f"{SPACE} II")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda held: held.clear(), "empty"),
        (lambda held: held.update(pending_operations=[{}]), "more than resources"),
        (lambda held: held.update(metadata={"integrity_error": {}}), "metadata"),
        (lambda held: held["manifest"].update(version="v3.260.0"), "manifest"),
        (lambda held: held["resources"][3].update(initErrors=["x"]), "initErrors"),
        (lambda held: held["resources"][3].update(deletedWith=f"{SPACE} II"), "must be before it"),
        (lambda held: held["resources"].append(held["resources"][3]), "twice"),
        (lambda held: held["secrets_providers"].update(type="service"), "passphrase"),
    ],
)
def test_anything_else_is_in_doubt(change: Callable[[Deployment], None], why: str) -> None:
    found = state()
    change(found["deployment"])
    with pytest.raises(Doubt, match=why):
        RecordedState.of(found)


def test_a_second_provider_is_in_doubt() -> None:
    found = state()
    other = {**found["deployment"]["resources"][2], "urn": f"{PROVIDER}_7"}
    found["deployment"]["resources"].append(other)
    with pytest.raises(Doubt, match="providers"):
        _ = RecordedState.of(found).provider
