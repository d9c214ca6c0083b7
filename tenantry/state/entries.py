"""The state of a stack, as `pulumi stack export` gives it: which tenants are in it, and it without them."""

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
    """What of a state belongs to its tenants, and the state without that.

    `leaning` are the URNs of other resources that refer to one which goes: with them the rest does not hold
    together.
    """

    ours: list[Resource]
    rest: State
    leaning: list[str]

    @property
    def tenants(self) -> list[Resource]:
        """The tenants among what goes."""
        return [each for each in self.ours if each["type"] == TENANT]

    @property
    def protected(self) -> list[Resource]:
        """Those that are protected among what goes."""
        return [each for each in self.ours if each.get("protect")]


def hostname_of(state: State) -> str | None:
    """Return the system hostname of the first tenant in a state: its id."""
    return next((str(each["id"]) for each in resources(state) if each["type"] == TENANT), None)


def format_of(state: State) -> int:
    """Return the newest format among the resources of a state."""
    ours = (each for each in resources(state) if each["type"].startswith(_OURS))
    return formats.newest((each.get("outputs") or {}).get(PROVIDER_KEY) for each in ours)


def foreign(state: State) -> str:
    """Return the URN of a dynamic resource whose provider is none of Tenantry's; nothing if there is none."""
    pending = (each.get("resource") or {} for each in pending_operations(state))
    return next((str(each.get("urn")) for each in (*resources(state), *pending) if _is_foreign(each)), "")


def _is_foreign(resource: Resource) -> bool:
    if not str(resource.get("type")).startswith(TYPES):
        return False
    named = [(resource.get(part) or {}).get(PROVIDER_KEY) for part in ("inputs", "outputs")]
    return not all(each is None or formats.is_ours(each) for each in named)


def name_of(urn: str) -> str:
    """Return a URN as messages show it: `Space Sales`."""
    _, _, kind, name = urn.split("::", 3)
    return f"{kind.rpartition(':')[2]} {name}"


def split(state: State) -> Split:
    """Take all tenants, and everything in them, out of a state; the state that is given is not changed."""
    everything = resources(state)
    ours = [each for each in everything if each["type"].startswith(_OURS)]
    gone = {each["urn"] for each in ours}
    others = [each for each in everything if each["urn"] not in gone]
    leaning = [each["urn"] for each in others if gone.intersection(_referred(each))]
    if all(each["type"].startswith(_ENGINES_OWN) for each in others):
        others = []
    # What the stack says of itself is about what goes; the next run says it anew.
    kept = [{**each, "outputs": {}} if each["type"] == "pulumi:pulumi:Stack" else each for each in others]
    pending = [each for each in pending_operations(state) if not _is_ours(each)]
    return Split(ours, replaced(state, resources=kept, pending_operations=pending), leaning)


def _is_ours(operation: dict[str, Any]) -> bool:
    return str(operation.get("resource", {}).get("type", "")).startswith(_OURS)


def _referred(resource: Resource) -> Iterator[str]:
    """Yield the URNs that a resource needs to be in the state as well."""
    yield str(resource.get("parent", ""))
    yield str(resource.get("deletedWith", ""))
    yield from resource.get("dependencies") or []
    for needed in (resource.get("propertyDependencies") or {}).values():
        yield from needed or []
