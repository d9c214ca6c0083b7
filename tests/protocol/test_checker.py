"""The search itself, on a small and simple machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.protocol.checker import search


class Move(NamedTuple):
    text: str
    state: int
    cost: int = 0


def counter(state: int) -> Iterator[Move]:
    """Count up to 9 by one or by three; from 7, a failure leads to 100, a dead end."""
    if state < 9:
        yield Move("one more", state + 1)
    if state < 7:
        yield Move("three more", state + 3)
    if state == 7:
        yield Move("it breaks", 100, cost=1)


def test_every_state_is_visited_once() -> None:
    found = search(0, counter, {})
    assert (found.states, found.broken) == (11, "")
    assert found.texts == {"one more", "three more", "it breaks"}


def test_the_counterexample_is_as_short_as_possible() -> None:
    found = search(0, counter, {"never seven": lambda state: state != 7})
    assert (found.broken, found.state) == ("never seven", 7)
    assert len(found.trace) == 3
    assert sorted(found.trace) == ["one more", "three more", "three more"]


def test_a_dead_end_without_failures_is_found() -> None:
    goal = ("to nine", lambda state: state == 9)
    found = search(0, counter, {}, goal)
    assert (found.broken, found.state, found.trace[-1]) == ("to nine", 100, "it breaks")
    assert not search(8, counter, {}, goal).broken


def test_a_failure_does_not_count_as_progress() -> None:
    found = search(7, counter, {}, ("to a hundred", lambda state: state == 100))
    assert (found.broken, found.state) == ("to a hundred", 7)


def test_a_counterexample_is_readable() -> None:
    found = search(0, counter, {"never one": lambda state: state != 1})
    assert str(found).splitlines() == ["3 states, 2 moves", "broken: never one", "  1. one more"]
