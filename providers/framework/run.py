"""What the current run of the engine has done so far, so that no call requests it again.

A provider process serves one run as a rule, but may serve several; each has an address of its own, by which
they are told apart. Outside of the engine nothing is known.
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
    """One run. Its calls run in several threads; each only adds or removes single entries."""

    urn: str = ""
    """The resource that the call handles; it names the stack, too."""

    made: set[str] = field(default_factory=set)
    """Ids of the objects that the run made or took over."""

    empty_spaces: set[str] = field(default_factory=set)
    """Ids of the spaces that the run made, so that nothing is in them but what the run put there."""

    new_tenants: set[str] = field(default_factory=set)
    """Hostnames of the tenants that the run made, so that nothing is in them but what the run put there."""

    active_tenants: dict[str, str] = field(default_factory=dict)
    """Hostnames of the tenants that the run made or reactivated, and their ids at Qlik."""

    revived_tenants: set[str] = field(default_factory=set)
    """Hostnames of the tenants that the run took back: what earlier runs gave there is not known."""

    gone_tenants: set[str] = field(default_factory=set)
    """Hostnames of the tenants of which Qlik said to this run that it knows no such tenant."""

    scripts: dict[str, str] = field(default_factory=dict)
    """Ids of the apps whose load scripts the run set, and the scripts as Qlik stored them."""

    notified: set[str] = field(default_factory=set)
    """What the user was told once and need not be told for each resource."""

    holders: dict[str, set[str]] = field(default_factory=dict)
    """Ids of the objects that the run made, took over or looked at, and the URNs that hold them."""

    exports: dict[Any, Future[Path]] = field(default_factory=dict)
    """The exports of templates that the run has begun before an app needs them, see `lookups.exports`."""

    state: list[list[dict[str, Any]]] = field(default_factory=list)
    """The resources in the stack's state, once they were read: see `tenantry.providers.framework.stack`."""

    state_lock: threading.Lock = field(default_factory=threading.Lock)

    listings: dict[tuple[str, str], Any] | None = field(default_factory=dict)
    """What the run listed of which collection (hostname and path) since it last wrote, each a `Listing` of
    `listings`; None for a call that must not rely on it.
    """


checked_inputs: dict[str, dict[str, Any]] = {}
"""The inputs that the program gives each URN, as far as the engine has had them checked by this process."""

unreplaced_urns: dict[str, set[str]] = {}
"""The URNs that this process was told to keep for each object, as a diff found no replacement."""

_current: ContextVar[Run | None] = ContextVar("run", default=None)
_runs: dict[str, Run] = {}


def current() -> Run:
    """Return the run that this call is part of; outside the engine, an empty one."""
    return _current.get() or Run(listings=None)


@contextmanager
def handling(urn: str, address: str = "", *, writes: bool = True) -> Iterator[None]:
    """Say which resource the block is about, and by its address which run of the engine it is part of.

    After a block that `writes`, what the run has listed counts no longer, and during it neither.
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
