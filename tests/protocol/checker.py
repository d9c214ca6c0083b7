"""A breadth-first search through all states: its first counterexample is a shortest one.

It does not know about tenants: a state is any hashable value, and `steps` yields the possible next states.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)
S_co = TypeVar("S_co", bound=Hashable, covariant=True)


class Move(Protocol[S_co]):
    """A possible next step: its description, the state after it, and its cost (above 0: a failure)."""

    @property
    def text(self) -> str: ...
    @property
    def state(self) -> S_co: ...
    @property
    def cost(self) -> int: ...


@dataclass(frozen=True)
class Found(Generic[S]):
    """The result of a search: the numbers of states and moves, all events, and the counterexample.

    `broken` is the promise that does not hold ("": all hold), `trace` the path to it, `state` its end.
    """

    states: int
    moves: int
    texts: frozenset[str]
    broken: str = ""
    trace: tuple[str, ...] = ()
    state: S | None = None

    def __str__(self) -> str:
        lines = [f"{self.states} states, {self.moves} moves"]
        if self.broken:
            lines += [f"broken: {self.broken}", *(f"{n:3}. {text}" for n, text in enumerate(self.trace, 1))]
        return "\n".join(lines)


def search(
    initial: S,
    steps: Callable[[S], Iterable[Move[S]]],
    invariants: Mapping[str, Callable[[S], bool]],
    goal: tuple[str, Callable[[S], bool]] | None = None,
) -> Found[S]:
    """Visit every state and check the invariants. Then check that moves without failure lead to the goal.

    The search ends at the first state in which an invariant does not hold.
    """
    numbers: dict[S, int] = {initial: 0}
    states, parents, texts = [initial], [0], [""]
    free: list[list[int]] = [[]]  # for each state, its predecessors by a move without failure
    moves = 0

    def found(broken: str = "", at: int = 0) -> Found[S]:
        trace, number = [], at
        while number:
            trace.append(texts[number])
            number = parents[number]
        return Found(len(states), moves, frozenset(texts[1:]), broken, tuple(trace[::-1]), states[at])

    for number, state in enumerate(states):
        for words, holds in invariants.items():
            if not holds(state):
                return found(words, number)
        for move in steps(state):
            moves += 1
            to = numbers.setdefault(move.state, len(states))
            if to == len(states):
                states.append(move.state)
                parents.append(number)
                texts.append(move.text)
                free.append([])
            if not move.cost:
                free[to].append(number)
    if goal is not None:
        words, reached = goal
        stuck = _stuck(free, [number for number, state in enumerate(states) if reached(state)])
        if stuck is not None:
            return found(words, stuck)
    return found()


def _stuck(free: list[list[int]], good: list[int]) -> int | None:
    """Return the first state from which no good state can be reached, if there is one."""
    known = set(good)
    for number in good:
        for before in free[number]:
            if before not in known:
                known.add(before)
                good.append(before)
    return next((number for number in range(len(free)) if number not in known), None)
