"""The search itself, with a simple counter as the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.protocol.checker import search


class Move(NamedTuple):
    text: str
    state: int
    cost: int = 0


def counter(state: int) -> Iterator[Move]:
    """Count up to 9 by one or by three. From 7, a failure leads to 100, which is a dead end."""
    if state < 9:
        yield Move("add one", state + 1)
    if state < 7:
        yield Move("add three", state + 3)
    if state == 7:
        yield Move("break", 100, cost=1)


def test_every_state_is_visited_once() -> None:
    result = search(0, counter, {})
    assert (result.states, result.violated) == (11, "")
    assert result.texts == {"add one", "add three", "break"}


def test_the_counterexample_is_as_short_as_possible() -> None:
    result = search(0, counter, {"never seven": lambda state: state != 7})
    assert (result.violated, result.state) == ("never seven", 7)
    assert len(result.trace) == 3
    assert sorted(result.trace) == ["add one", "add three", "add three"]


def test_a_dead_end_is_found() -> None:
    goal = ("to nine", lambda state: state == 9)
    result = search(0, counter, {}, goal)
    assert (result.violated, result.state, result.trace[-1]) == ("to nine", 100, "break")
    assert not search(8, counter, {}, goal).violated


def test_a_failure_does_not_count_as_progress() -> None:
    result = search(7, counter, {}, ("to a hundred", lambda state: state == 100))
    assert (result.violated, result.state) == ("to a hundred", 7)


def test_a_counterexample_is_readable() -> None:
    result = search(0, counter, {"never one": lambda state: state != 1})
    assert str(result).splitlines() == ["3 states, 2 moves", "violated: never one", "  1. add one"]
