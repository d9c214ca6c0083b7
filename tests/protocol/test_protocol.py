"""The protocol holds in every small world, and each of its rules is necessary.

Bounds: see `worlds`. `TENANTRY_PROTOCOL=deep` searches the larger worlds too, which takes minutes.
"""

from __future__ import annotations

import os
import re
from functools import cache

import pytest

from tests.protocol import __main__ as command
from tests.protocol import model
from tests.protocol.checker import Found
from tests.protocol.state import State
from tests.protocol.worlds import BROKEN, DEEP, NOT_PROMISED, QUICK, Broken, check

WORLDS = QUICK | DEEP if os.environ.get("TENANTRY_PROTOCOL") == "deep" else QUICK


@cache
def searched(name: str) -> Found[State]:
    return check(WORLDS[name])


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", WORLDS)
def test_all_promises_hold(name: str) -> None:
    found = searched(name)
    assert not found.broken, str(found)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_protocol_has_a_counterexample(name: str) -> None:
    found = check(BROKEN[name].world)
    assert found.broken == BROKEN[name].promise, str(found)


@pytest.mark.parametrize("name", NOT_PROMISED)
def test_unpromised_cases_do_occur(name: str) -> None:
    found = check(NOT_PROMISED[name].world)
    assert found.broken == NOT_PROMISED[name].promise, str(found)


HAPPENS = (
    "Qlik gives the time for a new proof",
    "begins and renews proof",
    "renews proof ., as a person said",
    "proof . is in the state",
    "sends the POST under proof",
    "the POST is refused, or never leaves the machine: .nothing was made",
    "the permit has run out, nothing is sent",
    "gets the answer: tenant",
    "gets no answer; stops, candidates: tenant",
    "gets no answer; stops, too early",
    "notes on its disk",
    "names tenant",
    "may not name tenant",
    "does not call tenant . [A-Z].* before the state has it",
    "goes on with tenant ., as its note says",
    "its note says so: .nothing was made",
    "the list shows nothing: .nothing was made",
    "stops, candidates: tenant",
    "stops, deactivated: tenant",
    "stops, too early",
    "takes tenant ., as the file says",
    "the person pastes the line of tenant",
    "the person clears the lock",
    "the provider ends, with nobody to record anything",
    "deactivates tenant",
    "the state is empty",
    "is lost on its way",
    "is killed; its provider goes on",
    "is killed$",
    "is taken for dead",
    "loses its disk",
    "somebody else makes tenant ., unnamed",
    "somebody else makes tenant ., named",
    "is rolled back to empty",
    "is rolled back to proof .$",
    "is rolled back to proof . and tenant",
    "proof ., is copied",
    "proof . and tenant ., is copied",
    "is renamed",
)


@pytest.mark.timeout(3600)
def test_the_search_reaches_every_event() -> None:
    some = [name for name in QUICK if name.startswith(("any one", "rolled", "destroyed", "a customer"))]
    texts = "\n".join(sorted({text for name in some for text in searched(name).texts}))
    assert [event for event in HAPPENS if not re.search(event, texts, re.MULTILINE)] == []


def test_the_command_prints_the_promises(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"two stacks at once": QUICK["two stacks at once"]}
    monkeypatch.setattr(command, "QUICK", one)
    assert command.main([]) == 0
    output = capsys.readouterr().out
    assert re.search(r"[0-9]{4} states, [0-9]{5} moves; 8 of 8 promises hold", output)


def test_the_command_fails_with_the_counterexample(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "QUICK", {"broken": BROKEN["only unnamed candidates"].world})
    assert command.main([]) == 1
    assert f"broken: {model.CANDIDATE}\n  1. runner 1: `up` of A begins" in capsys.readouterr().out


def test_the_command_fails_if_it_misses_a_broken_protocol(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = Broken(QUICK["two stacks at once"], model.ONE_POST)
    monkeypatch.setattr(command, "BROKEN", {"sound": sound})
    monkeypatch.setattr(command, "NOT_PROMISED", {})
    assert command.main(["--broken"]) == 1
