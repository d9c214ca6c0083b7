"""What the states of all stacks hold: tenants, proofs of tenants, and every id that is anywhere in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from tenantry.audit.findings import Unread
from tenantry.providers.app import mark
from tenantry.providers.values import tokens
from tenantry.pulumi_internals.deployment import Resource, State, pending_operations, resources
from tenantry.state.backend import Backend, NoSuchStack, PulumiFailed
from tenantry.state.entries import TENANT

APP = tokens.of("App")
PROOF = tokens.of("TenantProof")
ID = re.compile(r"[A-Za-z0-9_-]{16,100}")
"""What an id at Qlik looks like."""

Explain = Callable[[str, PulumiFailed], str]
"""Says in one line why a command of a stack failed."""


class Held(NamedTuple):
    """A tenant in a state, by its system hostname and its id at Qlik."""

    hostname: str
    tenant_id: str


class Proof(NamedTuple):
    """The proof of a tenant in a state: when a run was about to ask for one (ISO 8601), where, for whom.

    `unused`: none was to be asked for, as one was to be taken back.
    """

    made_at: str
    region: str
    name: str
    unused: bool = False


@dataclass(frozen=True)
class Holding:
    """What the state of one stack holds.

    `proofs` are those of a stack without a tenant. `sources` are hostnames of source tenants. `ids` is
    whatever is an id in the state, or looks like one. `importing`: the import of an app was begun, and its
    end is not recorded.
    """

    stack: str
    tenants: tuple[Held, ...] = ()
    proofs: tuple[Proof, ...] = ()
    sources: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    importing: bool = False


def holding(stack: str, state: State) -> Holding:
    """Return what a state holds. A resource that is still to be deleted is held, too."""
    everything = resources(state)
    tenants = tuple(_tenant(each) for each in everything if each["type"] == TENANT)
    proofs = [each for each in everything if each["type"] == PROOF and not each.get("delete")]
    sources = (
        _values(each).get("source_tenant") for each in everything if each["type"].startswith(tokens.RESOURCES)
    )
    return Holding(
        stack,
        tenants,
        () if tenants else tuple(map(_proof, proofs)),
        frozenset(each.lower() for each in sources if isinstance(each, str)),
        frozenset(_ids([*everything, *pending_operations(state)])),
        any(_begun(everything, each) for each in pending_operations(state)),
    )


def read(backend: Backend, stack: str) -> Holding | None:
    """Read the state of one stack; None for a stack that is not there. Raises PulumiFailed."""
    try:
        return holding(stack, backend.state(stack))
    except NoSuchStack:
        return None


def read_all(
    backend: Backend, stacks: Iterable[str], at_once: int, explain: Explain
) -> tuple[list[Holding], list[Unread]]:
    """Read the states of stacks, several at a time; return what they hold, and those that cannot be read."""

    def one(stack: str) -> Holding | Unread | None:
        try:
            return read(backend, stack)
        except PulumiFailed as failure:
            return Unread(f"the state of stack {stack}", explain(stack, failure))

    with ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(one, stacks))
    held = [each for each in found if isinstance(each, Holding)]
    return held, [each for each in found if isinstance(each, Unread)]


def _tenant(resource: Resource) -> Held:
    return Held(str(resource.get("id", "")).lower(), str(_values(resource).get("tenant_id", "")))


def _proof(resource: Resource) -> Proof:
    values = _values(resource)
    if isinstance(said := values.get("proof"), dict):
        values |= said
    made_at, region, name = (str(values.get(each, "")) for each in ("made_at", "region", "name"))
    return Proof(made_at, region, name, bool(values.get("unused")))


def _values(resource: Resource) -> dict[str, Any]:
    """Return inputs and outputs of a resource, the outputs first."""
    return {**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}


def _begun(everything: list[Resource], operation: dict[str, Any]) -> bool:
    """Tell whether an operation is the import of an app that is not in the state.

    The engine records it before the provider is called. One that a killed run left stays recorded, also when
    a later run has done the work: then the state has an app of the same URN and mark.
    """
    resource = operation.get("resource") or {}
    if operation.get("type") != "creating" or resource.get("type") != APP:
        return False
    wanted = resource.get("urn"), mark(resource.get("inputs") or {})
    apps = (each for each in everything if each["type"] == APP and not each.get("delete"))
    return all((each["urn"], mark(each.get("inputs") or {})) != wanted for each in apps)


def _ids(value: Any) -> Iterator[str]:
    """Yield all that may be an id in a value, however deep."""
    if isinstance(value, str):
        if ID.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        if isinstance(id := value.get("id"), str):
            yield id
        for each in value.values():
            yield from _ids(each)
    elif isinstance(value, list):
        for each in value:
            yield from _ids(each)
