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
    ("change", "reason"),
    [
        (lambda deployment: deployment.clear(), "empty"),
        (lambda deployment: deployment.update(pending_operations=[{}]), "more than resources"),
        (lambda deployment: deployment.update(metadata={"integrity_error": {}}), "metadata"),
        (lambda deployment: deployment["manifest"].update(version="v3.260.0"), "manifest"),
        (lambda deployment: deployment["resources"][3].update(initErrors=["x"]), "initErrors"),
        (
            lambda deployment: deployment["resources"][3].update(deletedWith=f"{SPACE} II"),
            "must be before it",
        ),
        (lambda deployment: deployment["resources"].append(deployment["resources"][3]), "twice"),
        (lambda deployment: deployment["secrets_providers"].update(type="service"), "passphrase"),
    ],
)
def test_an_unusual_state_is_in_doubt(change: Callable[[Deployment], None], reason: str) -> None:
    changed_state = state()
    change(changed_state["deployment"])
    with pytest.raises(Doubt, match=reason):
        RecordedState.of(changed_state)


def test_a_second_provider_is_in_doubt() -> None:
    changed_state = state()
    other = {**changed_state["deployment"]["resources"][2], "urn": f"{PROVIDER}_7"}
    changed_state["deployment"]["resources"].append(other)
    with pytest.raises(Doubt, match="providers"):
        _ = RecordedState.of(changed_state).provider
