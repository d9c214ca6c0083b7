"""The actions of the current run of the engine so far, so that no call repeats them.

A provider process usually serves one run, but may serve several. Each run has its own address. Outside the
engine, there is no run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass
class Run:
    """A run of the engine. Its calls run in several threads, so they only add or remove single entries."""

    urn: str = ""
    """The resource that the call handles. It also names the stack."""

    created_or_adopted: set[str] = field(default_factory=set)
    """Ids of the objects that the run created or took over."""

    empty_spaces: set[str] = field(default_factory=set)
    """Ids of the spaces that the run created. They contain nothing from before this run."""

    new_tenants: set[str] = field(default_factory=set)
    """Hostnames of the tenants that the run created. They contain nothing from before this run."""

    active_tenants: dict[str, str] = field(default_factory=dict)
    """Hostnames of the tenants that the run created or reactivated, with their ids at Qlik."""

    revived_tenants: set[str] = field(default_factory=set)
    """Hostnames of the tenants that the run brought back. It is unknown what earlier runs set there."""

    gone_tenants: set[str] = field(default_factory=set)
    """Hostnames of the tenants that do not exist, according to a response of Qlik in this run."""

    scripts: dict[str, str] = field(default_factory=dict)
    """Ids of the apps whose load scripts the run set, and the scripts as Qlik stored them."""

    notified: set[str] = field(default_factory=set)
    """Messages that the user sees once per run instead of once per resource."""

    holders: dict[str, set[str]] = field(default_factory=dict)
    """Ids of the objects that the run created, took over or read, and the URNs that manage them."""

    exports: dict[Any, Future[Path]] = field(default_factory=dict)
    """The template exports that the run started before an app needs them: see `lookups.exports`."""

    state: list[list[dict[str, Any]]] = field(default_factory=list)
    """The resources in the stack's state, once read: see `tenantry.providers.framework.stack`."""

    state_lock: threading.Lock = field(default_factory=threading.Lock)

    listings: dict[tuple[str, str], Any] | None = field(default_factory=dict)
    """A `Listing` for each collection (hostname and path) that the run listed since its last change.

    None for a call that must not use them.
    """


checked_inputs: dict[str, dict[str, Any]] = {}
"""The inputs by URN that this process has checked for the engine."""

unreplaced_urns: dict[str, set[str]] = {}
"""For each object, the URNs of its resources whose diff requires no replacement."""

_current: ContextVar[Run | None] = ContextVar("run", default=None)
_runs: dict[str, Run] = {}


def current() -> Run:
    """Return the run of this call. Outside the engine, return an empty run."""
    return _current.get() or Run(listings=None)


@contextmanager
def handling(urn: str, address: str = "", *, writes: bool = True) -> Iterator[None]:
    """Set the resource (`urn`) and the run (`address`) that the block works for.

    A block that `writes` does not use the lists of the run, and invalidates them.
    """
    known = _runs.setdefault(address, Run()) if address else Run()
    listings = known.listings if address and not writes else None
    token = _current.set(replace(known, urn=urn, listings=listings))
    try:
        yield
    finally:
        _current.reset(token)
        if writes and known.listings:
            known.listings.clear()
