"""The content of states that an audit needs: tenants, proofs of tenants, and all ids."""

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
"""The form of an id at Qlik."""

Explain = Callable[[str, PulumiFailed], str]
"""A function that explains in one line why a command for a stack failed."""


class HeldTenant(NamedTuple):
    """A tenant in a state: its system hostname and its id at Qlik."""

    hostname: str
    tenant_id: str


class Proof(NamedTuple):
    """The proof of a tenant in a state: its region, its name, and the time before the run requested it.

    `made_at` is that time, ISO 8601. `unused`: the run requested no new tenant, because it revived one.
    """

    made_at: str
    region: str
    name: str
    unused: bool = False


@dataclass(frozen=True)
class Holding:
    """The content of one state that an audit needs.

    `proofs` are empty if the stack has a tenant. `sources` are hostnames of source tenants. `ids` are all
    strings in the state that are ids or look like ids. `importing`: the import of an app was started, and its
    end is not recorded.
    """

    stack: str
    tenants: tuple[HeldTenant, ...] = ()
    proofs: tuple[Proof, ...] = ()
    sources: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    importing: bool = False


def holding(stack: str, state: State) -> Holding:
    """Return the holding of a state, including resources that are pending deletion."""
    all_resources = resources(state)
    tenants = tuple(_tenant(resource) for resource in all_resources if resource["type"] == TENANT)
    proofs = [
        resource for resource in all_resources if resource["type"] == PROOF and not resource.get("delete")
    ]
    sources = (
        _values(resource).get("source_tenant")
        for resource in all_resources
        if resource["type"].startswith(tokens.RESOURCES)
    )
    return Holding(
        stack,
        tenants,
        () if tenants else tuple(map(_proof, proofs)),
        frozenset(source.lower() for source in sources if isinstance(source, str)),
        frozenset(_ids([*all_resources, *pending_operations(state)])),
        any(_is_unfinished_import(all_resources, operation) for operation in pending_operations(state)),
    )


def read(backend: Backend, stack: str) -> Holding | None:
    """Read the state of one stack. Return None if the stack does not exist. Raises PulumiFailed."""
    try:
        return holding(stack, backend.state(stack))
    except NoSuchStack:
        return None


def read_all(
    backend: Backend, stacks: Iterable[str], at_once: int, explain: Explain
) -> tuple[list[Holding], list[Unread]]:
    """Read the states of stacks, `at_once` in parallel. Return their holdings, and the failures."""

    def read_one(stack: str) -> Holding | Unread | None:
        try:
            return read(backend, stack)
        except PulumiFailed as failure:
            return Unread(f"the state of stack {stack}", explain(stack, failure))

    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(read_one, stacks))
    holdings = [result for result in results if isinstance(result, Holding)]
    return holdings, [result for result in results if isinstance(result, Unread)]


def _tenant(resource: Resource) -> HeldTenant:
    return HeldTenant(str(resource.get("id", "")).lower(), str(_values(resource).get("tenant_id", "")))


def _proof(resource: Resource) -> Proof:
    values = _values(resource)
    if isinstance(proof := values.get("proof"), dict):
        values |= proof
    made_at, region, name = (str(values.get(key, "")) for key in ("made_at", "region", "name"))
    return Proof(made_at, region, name, bool(values.get("unused")))


def _values(resource: Resource) -> dict[str, Any]:
    """Return inputs and outputs of a resource. Outputs override inputs."""
    return {**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}


def _is_unfinished_import(all_resources: list[Resource], operation: dict[str, Any]) -> bool:
    """Tell whether an operation is the import of an app that is not in the state.

    The engine records an operation before it calls the provider. After a killed run it stays recorded, even
    if a later run has imported the app. In that case the state has an app with the same URN and mark.
    """
    resource = operation.get("resource") or {}
    if operation.get("type") != "creating" or resource.get("type") != APP:
        return False
    identity = resource.get("urn"), mark(resource.get("inputs") or {})
    apps = (resource for resource in all_resources if resource["type"] == APP and not resource.get("delete"))
    return all((app["urn"], mark(app.get("inputs") or {})) != identity for app in apps)


def _ids(value: Any) -> Iterator[str]:
    """Yield all strings in a nested value that may be ids."""
    if isinstance(value, str):
        if ID.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        if isinstance(id := value.get("id"), str):
            yield id
        for item in value.values():
            yield from _ids(item)
    elif isinstance(value, list):
        for item in value:
            yield from _ids(item)
