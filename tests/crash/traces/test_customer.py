"""The in-process engine creates a customer with all settings like the real engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tenantry.emulator import Emulator
from tests.crash.lab import Lab
from tests.crash.resources import Resource, State
from tests.crash.wire import numbered, without_tokens
from tests.e2e.customers import everything, settings
from tests.e2e.harness import Stack

COMMANDS = ("up", "up", "refresh", "destroy")


def test_both_engines_send_the_same_requests_and_write_the_same_state(
    make_stack: Callable[..., Stack], qlik: Emulator, tmp_path: Path
) -> None:
    """Compare the counts of requests and the links in the state, from creation to deletion."""
    stack = make_stack(qlik=qlik)
    stack.write(**settings(everything()))
    with Lab(tmp_path) as lab:
        lab.configure(everything())
        for command in COMMANDS:
            real, in_process = getattr(stack, command)(), getattr(lab, command)()
            assert in_process.ok
            assert counted(in_process.log) == counted(real.requests)
            real_state = State.from_json(stack.export()["deployment"] or {})
            assert links(lab.state) == links(real_state)


def counted(log: Iterable[dict[str, Any]]) -> Counter[str]:
    """Count each request, without token requests, because their number depends on the parallelism."""
    return Counter(f"{request.method} {request.path}" for request in without_tokens(numbered(log)))


def links(state: State) -> dict[str, Any]:
    """Return the dependencies and flags of each entry, by URN, without ids, because they differ."""
    return {resource.urn: _link(resource) for resource in state}


def _link(entry: Resource) -> tuple[Any, ...]:
    by_property = {name: sorted(urns) for name, urns in entry.propertyDependencies.items() if urns}
    return (
        entry.parent,
        entry.deletedWith,
        entry.protect,
        sorted(entry.dependencies),
        by_property,
        sorted(entry.inputs),
        sorted(entry.outputs),
    )
