"""A breadth-first search through all states, which finds a shortest counterexample first.

It knows nothing about tenants. A state is any hashable value, and `steps` yields the possible next states.
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
class SearchResult(Generic[S]):
    """The result of a search: the numbers of states and moves, their texts, and the counterexample.

    `violated` is the invariant that does not hold ("": all hold). `trace` is the path to the violation, and
    `state` is its last state.
    """

    states: int
    moves: int
    texts: frozenset[str]
    violated: str = ""
    trace: tuple[str, ...] = ()
    state: S | None = None

    def __str__(self) -> str:
        lines = [f"{self.states} states, {self.moves} moves"]
        if self.violated:
            lines += [
                f"violated: {self.violated}",
                *(f"{n:3}. {text}" for n, text in enumerate(self.trace, 1)),
            ]
        return "\n".join(lines)


def search(
    initial: S,
    steps: Callable[[S], Iterable[Move[S]]],
    invariants: Mapping[str, Callable[[S], bool]],
    goal: tuple[str, Callable[[S], bool]] | None = None,
) -> SearchResult[S]:
    """Visit every state and check the invariants. Then check that moves without a failure lead to the goal.

    The search ends at the first state that violates an invariant.
    """
    numbers: dict[S, int] = {initial: 0}
    states, parents, texts = [initial], [0], [""]
    free_predecessors: list[list[int]] = [[]]  # for each state, its predecessors by a move without a failure
    moves = 0

    def result(violated: str = "", at: int = 0) -> SearchResult[S]:
        trace, number = [], at
        while number:
            trace.append(texts[number])
            number = parents[number]
        return SearchResult(
            len(states), moves, frozenset(texts[1:]), violated, tuple(trace[::-1]), states[at]
        )

    for number, state in enumerate(states):
        for name, holds in invariants.items():
            if not holds(state):
                return result(name, number)
        for move in steps(state):
            moves += 1
            successor = numbers.setdefault(move.state, len(states))
            if successor == len(states):
                states.append(move.state)
                parents.append(number)
                texts.append(move.text)
                free_predecessors.append([])
            if not move.cost:
                free_predecessors[successor].append(number)
    if goal is not None:
        name, is_reached = goal
        stuck = _first_stuck(
            free_predecessors, [number for number, state in enumerate(states) if is_reached(state)]
        )
        if stuck is not None:
            return result(name, stuck)
    return result()


def _first_stuck(free_predecessors: list[list[int]], goal_states: list[int]) -> int | None:
    """Return the first state from which no goal state can be reached, if there is one."""
    reaching, queue = set(goal_states), list(goal_states)
    for number in queue:
        for predecessor in free_predecessors[number]:
            if predecessor not in reaching:
                reaching.add(predecessor)
                queue.append(predecessor)
    return next((number for number in range(len(free_predecessors)) if number not in reaching), None)
