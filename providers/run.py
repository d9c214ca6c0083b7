"""What the run of the engine that a verb is part of has done so far: what it knows need not be asked again.

A provider process serves one run as a rule, but may serve several; each has an address of its own, by which
they are told apart. Outside of the engine nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Run:
    """One run. Its verbs run in several threads; each only adds or removes single entries."""

    urn: str = ""
    """The resource that the verb is about: it names the stack, too."""

    made: set[str] = field(default_factory=set)
    """Ids of the objects that the run made or took over."""

    empty_spaces: set[str] = field(default_factory=set)
    """Ids of the spaces that the run made, so that nothing is in them but what the run put there."""

    active_tenants: dict[str, str] = field(default_factory=dict)
    """Hostnames of the tenants that the run made or reactivated, and their ids at Qlik."""


_current: ContextVar[Run | None] = ContextVar("run", default=None)
_runs: dict[str, Run] = {}


def current() -> Run:
    """Return the run that this verb is part of; outside of the engine one that knows nothing."""
    return _current.get() or Run()


@contextmanager
def of(urn: str, address: str = "") -> Iterator[None]:
    """Say which resource the block is about, and by its address which run of the engine it is part of."""
    known = _runs.setdefault(address, Run()) if address else Run()
    token = _current.set(Run(urn, known.made, known.empty_spaces, known.active_tenants))
    try:
        yield
    finally:
        _current.reset(token)
