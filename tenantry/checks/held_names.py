"""Names that another resource of the same stack has now: what a change moves, and what it cannot take."""

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
    """What the file wants: the block and key of an entry, its kind, and the value that only one object can
    have.

    `former`: the key, or the keys, that the entry had before. `is_itself`: the value is what makes the object
    the very one, as the name of an idp group does.
    """

    block: str
    key: str
    kind: str
    what: str
    value: str
    former: object
    is_itself: bool = False


def findings(customer: Customer, sources: Sources, state: State) -> Iterator[Finding]:
    """Yield what is to be said of groups, spaces and users whose name or address another entry has in the
    state.
    """
    held = dict(_held(state))
    for want in _wanted(customer):
        holder = held.get((want.kind, want.what, _folded(want.what, want.value)))
        if holder is None or holder in (want.key, *names.former(want.former)):
            continue
        stays = want.is_itself and holder not in getattr(customer, want.block)
        level: Level = "error" if stays else "warning"
        yield at(sources, (CUSTOMER, want.block, want.key), level, ABOUT, _text(want, holder, stays=stays))


def _text(want: Wanted, holder: str, *, stays: bool) -> str:
    has = f'{want.kind.partition(" ")[0]} "{holder}" of this stack has the {want.what} "{want.value}" now'
    advice = f'if it is the same under a new key, say renamed_from: "{holder}"'
    if stays:
        first = "else remove that entry first, and run `pulumi up`"
        return f"{has}, and an idp group is its name: {advice}; {first}"
    return f"{has}: it moves, which may take a second `pulumi up`; {advice}"


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
    """Yield kind, property and value of what the state holds, and the key of the entry that has it."""
    for each in resources(state):
        kind, outputs = str(each.get("type")).removeprefix(KIND), each.get("outputs") or {}
        if kind not in ("Space", "Group", "User") or each.get("delete"):
            continue
        what = "email" if kind == "User" else "name"
        if kind == "Group":
            kind = f"Group {outputs.get('provider_type')}"
        if isinstance(value := outputs.get(what), str):
            yield (kind, what, _folded(what, value)), str(each["urn"]).rpartition("::")[2]


def _folded(what: str, value: str) -> str:
    """Return the form in which two values are the same: Qlik tells capitals apart but in addresses."""
    return value.casefold() if what == "email" else value
