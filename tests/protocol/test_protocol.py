"""The invariants hold in every small scenario, and each rule of the protocol is necessary.

`scenarios` defines the bounds. `TENANTRY_PROTOCOL=deep` adds the larger ones, which take minutes.
"""

from __future__ import annotations

import os
import re
from functools import cache

import pytest

from tests.protocol import __main__ as command
from tests.protocol import model
from tests.protocol.checker import SearchResult
from tests.protocol.scenarios import (
    BROKEN_PROTOCOLS,
    DEEP_SCENARIOS,
    NOT_GUARANTEED,
    QUICK_SCENARIOS,
    ExpectedViolation,
    check,
)
from tests.protocol.state import State

SCENARIOS = (
    QUICK_SCENARIOS | DEEP_SCENARIOS if os.environ.get("TENANTRY_PROTOCOL") == "deep" else QUICK_SCENARIOS
)


@cache
def search_once(name: str) -> SearchResult[State]:
    return check(SCENARIOS[name])


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", SCENARIOS)
def test_all_invariants_hold(name: str) -> None:
    result = search_once(name)
    assert not result.violated, str(result)


@pytest.mark.parametrize("name", BROKEN_PROTOCOLS)
def test_a_broken_protocol_has_a_counterexample(name: str) -> None:
    result = check(BROKEN_PROTOCOLS[name].scenario)
    assert result.violated == BROKEN_PROTOCOLS[name].invariant, str(result)


@pytest.mark.parametrize("name", NOT_GUARANTEED)
def test_each_exception_has_a_counterexample(name: str) -> None:
    result = check(NOT_GUARANTEED[name].scenario)
    assert result.violated == NOT_GUARANTEED[name].invariant, str(result)


EVENTS = (
    "Qlik gives the time for a new proof",
    "begins and renews proof",
    "renews proof ., as a person requested",
    "proof . is in the state",
    "sends the POST under proof",
    "the POST is refused, or never leaves the machine: .nothing was created",
    "the permit has expired, so it sends nothing",
    "receives the response: tenant",
    "receives no response; stops, candidates: tenant",
    "receives no response; stops, too early",
    "writes a note on its disk",
    "names tenant",
    "cannot name tenant",
    "does not name tenant . [A-Z].* before it is in the state",
    "continues with tenant ., as its note says",
    "its note says so: .nothing was created",
    "the list shows nothing: .nothing was created",
    "stops, candidates: tenant",
    "stops, deactivated: tenant",
    "stops, too early",
    "takes over tenant ., as the file says",
    "the person pastes the line of tenant",
    "the person clears the lock",
    "the provider ends, and without its engine the state does not change",
    "deactivates tenant",
    "the state is empty",
    "is lost on its way",
    "is killed; its provider continues",
    "is killed$",
    "is wrongly considered dead",
    "loses its disk",
    "somebody else creates tenant ., unnamed",
    "somebody else creates tenant ., named",
    "is rolled back to empty",
    "is rolled back to proof .$",
    "is rolled back to proof . and tenant",
    "proof ., is copied",
    "proof . and tenant ., is copied",
    "is renamed",
)


@pytest.mark.timeout(3600)
def test_the_search_reaches_every_event() -> None:
    names = [
        name for name in QUICK_SCENARIOS if name.startswith(("any one", "rolled", "destroyed", "a customer"))
    ]
    texts = "\n".join(sorted({text for name in names for text in search_once(name).texts}))
    assert [event for event in EVENTS if not re.search(event, texts, re.MULTILINE)] == []


def test_the_command_prints_the_number_of_invariants(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenarios = {"two stacks at once": QUICK_SCENARIOS["two stacks at once"]}
    monkeypatch.setattr(command, "QUICK_SCENARIOS", scenarios)
    assert command.main([]) == 0
    output = capsys.readouterr().out
    assert re.search(r"[0-9]{4} states, [0-9]{5} moves; 8 of 8 invariants hold", output)


def test_the_command_fails_with_the_counterexample(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        command, "QUICK_SCENARIOS", {"broken": BROKEN_PROTOCOLS["only unnamed candidates"].scenario}
    )
    assert command.main([]) == 1
    assert f"violated: {model.CANDIDATE}\n  1. runner 1: `up` of A begins" in capsys.readouterr().out


def test_the_command_fails_if_it_misses_a_broken_protocol(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = ExpectedViolation(QUICK_SCENARIOS["two stacks at once"], model.ONE_POST)
    monkeypatch.setattr(command, "BROKEN_PROTOCOLS", {"sound": sound})
    monkeypatch.setattr(command, "NOT_GUARANTEED", {})
    assert command.main(["--broken"]) == 1
