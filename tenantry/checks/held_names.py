"""The check of names that another resource of the same stack still has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tenantry.checks.findings import Finding, Level, at
from tenantry.providers.values import tokens
from tenantry.pulumi_internals.deployment import State, resources
from tenantry.settings import names
from tenantry.settings.models import Customer
from tenantry.settings.sources import CUSTOMER, Sources

ABOUT = "names"
KIND = tokens.RESOURCES


class UniqueValue(NamedTuple):
    """A value in an entry of the stack file that only one object can have.

    `attribute` is "name" or "email". `former` is the previous key or keys of the entry. `is_identity`: the
    value identifies the object, such as the name of an idp group.
    """

    block: str
    key: str
    kind: str
    attribute: str
    value: str
    former: object
    is_identity: bool = False


def findings(customer: Customer, sources: Sources, state: State) -> Iterator[Finding]:
    """Yield a finding for each group, space or user whose name or address another entry has in the state."""
    holders = dict(_held_values(state))
    for desired in _unique_values(customer):
        holder = holders.get((desired.kind, desired.attribute, _folded(desired.attribute, desired.value)))
        if holder is None or holder in (desired.key, *names.former_names(desired.former)):
            continue
        is_fixed = desired.is_identity and holder not in getattr(customer, desired.block)
        level: Level = "error" if is_fixed else "warning"
        yield at(
            sources,
            (CUSTOMER, desired.block, desired.key),
            level,
            ABOUT,
            _text(desired, holder, is_fixed=is_fixed),
        )


def _text(desired: UniqueValue, holder: str, *, is_fixed: bool) -> str:
    resource = f'{desired.kind.partition(" ")[0]} "{holder}"'
    situation = f'{resource} of this stack has the {desired.attribute} "{desired.value}" now'
    advice = f'If it is the same object under a new key, set renamed_from: "{holder}"'
    if is_fixed:
        first = "Otherwise remove that entry first and run `pulumi up`"
        return f"{situation}, which cannot move, because it identifies an idp group. {advice}. {first}"
    return f"{situation}. It moves, which may need a second `pulumi up`. {advice}"


def _unique_values(customer: Customer) -> Iterator[UniqueValue]:
    for key, space in customer.spaces.items():
        yield UniqueValue("spaces", key, "Space", "name", space.name, space.renamed_from)
    for key, group in customer.groups.items():
        kind, idp = f"Group {group.provider_type}", group.provider_type == "idp"
        yield UniqueValue("groups", key, kind, "name", group.name, group.renamed_from, idp)
    for key, user in customer.users.items():
        if user.email:
            yield UniqueValue("users", key, "User", "email", user.email, user.renamed_from)


def _held_values(state: State) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Yield type, attribute and value of objects in the state, each with the key of its entry."""
    for resource in resources(state):
        kind, outputs = str(resource.get("type")).removeprefix(KIND), resource.get("outputs") or {}
        if kind not in ("Space", "Group", "User") or resource.get("delete"):
            continue
        attribute = "email" if kind == "User" else "name"
        if kind == "Group":
            kind = f"Group {outputs.get('provider_type')}"
        if isinstance(value := outputs.get(attribute), str):
            yield (kind, attribute, _folded(attribute, value)), str(resource["urn"]).rpartition("::")[2]


def _folded(attribute: str, value: str) -> str:
    """Return the form in which Qlik compares values. Only e-mail addresses are not case-sensitive."""
    return value.casefold() if attribute == "email" else value
