"""Names that another resource of the same stack still has: whether a change can move them."""

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


class Wanted(NamedTuple):
    """An entry of the stack file with a value that only one object can have.

    `former` is the previous key or keys of the entry. `is_itself` means that the value identifies the object,
    like the name of an idp group.
    """

    block: str
    key: str
    kind: str
    what: str
    value: str
    former: object
    is_itself: bool = False


def findings(customer: Customer, sources: Sources, state: State) -> Iterator[Finding]:
    """Yield a finding for each group, space or user whose name or address another entry has in the state."""
    held = dict(_held(state))
    for want in _wanted(customer):
        holder = held.get((want.kind, want.what, _folded(want.what, want.value)))
        if holder is None or holder in (want.key, *names.former_names(want.former)):
            continue
        stays = want.is_itself and holder not in getattr(customer, want.block)
        level: Level = "error" if stays else "warning"
        yield at(sources, (CUSTOMER, want.block, want.key), level, ABOUT, _text(want, holder, stays=stays))


def _text(want: Wanted, holder: str, *, stays: bool) -> str:
    has = f'{want.kind.partition(" ")[0]} "{holder}" of this stack has the {want.what} "{want.value}" now'
    advice = f'If it is the same object under a new key, set renamed_from: "{holder}"'
    if stays:
        first = "Otherwise remove that entry first and run `pulumi up`"
        return f"{has}, which cannot move, because it identifies an idp group. {advice}. {first}"
    return f"{has}. It moves, which may need a second `pulumi up`. {advice}"


def _wanted(customer: Customer) -> Iterator[Wanted]:
    for key, space in customer.spaces.items():
        yield Wanted("spaces", key, "Space", "name", space.name, space.renamed_from)
    for key, group in customer.groups.items():
        kind, idp = f"Group {group.provider_type}", group.provider_type == "idp"
        yield Wanted("groups", key, kind, "name", group.name, group.renamed_from, idp)
    for key, user in customer.users.items():
        if user.email:
            yield Wanted("users", key, "User", "email", user.email, user.renamed_from)


def _held(state: State) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Yield type, property and value of objects in the state, with the key of the entry that has it."""
    for resource in resources(state):
        kind, outputs = str(resource.get("type")).removeprefix(KIND), resource.get("outputs") or {}
        if kind not in ("Space", "Group", "User") or resource.get("delete"):
            continue
        what = "email" if kind == "User" else "name"
        if kind == "Group":
            kind = f"Group {outputs.get('provider_type')}"
        if isinstance(value := outputs.get(what), str):
            yield (kind, what, _folded(what, value)), str(resource["urn"]).rpartition("::")[2]


def _folded(what: str, value: str) -> str:
    """Return the form in which Qlik compares values: case-sensitive, except e-mail addresses."""
    return value.casefold() if what == "email" else value
