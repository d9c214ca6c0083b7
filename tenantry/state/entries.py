"""The resources in the state of a stack: its tenants, and the state without them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tenantry.providers.framework import formats
from tenantry.providers.values import tokens
from tenantry.pulumi_internals.deployment import Resource, State, pending_operations, replaced, resources
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY, TYPES

TENANT = tokens.of("Tenant")
_OURS = (tokens.RESOURCES, tokens.COMPONENTS)
_ENGINES_OWN = ("pulumi:pulumi:", "pulumi:providers:")


@dataclass(frozen=True)
class Split:
    """The resources of a state that belong to its tenants, and the state without them.

    `dependents` are the URNs of other resources that depend on a removed one. With them the rest is
    inconsistent.
    """

    ours: list[Resource]
    rest: State
    dependents: list[str]

    @property
    def tenants(self) -> list[Resource]:
        """The tenants among the removed resources."""
        return [resource for resource in self.ours if resource["type"] == TENANT]

    @property
    def protected(self) -> list[Resource]:
        """The protected ones among the removed resources."""
        return [resource for resource in self.ours if resource.get("protect")]


def hostname_of(state: State) -> str | None:
    """Return the system hostname of the first tenant in a state, which is its id there."""
    return next((str(resource["id"]) for resource in resources(state) if resource["type"] == TENANT), None)


def format_of(state: State) -> int:
    """Return the newest format among the resources of a state."""
    ours = (resource for resource in resources(state) if resource["type"].startswith(_OURS))
    return formats.newest((resource.get("outputs") or {}).get(PROVIDER_KEY) for resource in ours)


def foreign(state: State) -> str:
    """Return the URN of a dynamic resource whose provider is not from Tenantry; empty if there is none."""
    pending = (operation.get("resource") or {} for operation in pending_operations(state))
    everything = (*resources(state), *pending)
    return next((str(resource.get("urn")) for resource in everything if _is_foreign(resource)), "")


def _is_foreign(resource: Resource) -> bool:
    if not str(resource.get("type")).startswith(TYPES):
        return False
    providers = [(resource.get(part) or {}).get(PROVIDER_KEY) for part in ("inputs", "outputs")]
    return not all(provider is None or formats.is_ours(provider) for provider in providers)


def name_of(urn: str) -> str:
    """Return the type and name in a URN, for messages: `Space Sales`."""
    _, _, kind, name = urn.split("::", 3)
    return f"{kind.rpartition(':')[2]} {name}"


def split(state: State) -> Split:
    """Return a state without its tenants and everything in them. The given state stays unchanged."""
    everything = resources(state)
    ours = [resource for resource in everything if resource["type"].startswith(_OURS)]
    removed = {resource["urn"] for resource in ours}
    others = [resource for resource in everything if resource["urn"] not in removed]
    dependents = [resource["urn"] for resource in others if removed.intersection(_referred(resource))]
    if all(resource["type"].startswith(_ENGINES_OWN) for resource in others):
        others = []
    # The outputs of the stack describe the removed resources. The next run sets them again.
    kept = [
        {**resource, "outputs": {}} if resource["type"] == "pulumi:pulumi:Stack" else resource
        for resource in others
    ]
    pending = [operation for operation in pending_operations(state) if not _is_ours(operation)]
    return Split(ours, replaced(state, resources=kept, pending_operations=pending), dependents)


def _is_ours(operation: dict[str, Any]) -> bool:
    return str(operation.get("resource", {}).get("type", "")).startswith(_OURS)


def _referred(resource: Resource) -> Iterator[str]:
    """Yield the URNs of resources that a resource needs in the state."""
    yield str(resource.get("parent", ""))
    yield str(resource.get("deletedWith", ""))
    yield from resource.get("dependencies") or []
    for needed in (resource.get("propertyDependencies") or {}).values():
        yield from needed or []
