"""The organisation's list of tenants (https://qlik.dev/apis/org-rest) against what the states hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tenantry.audit.findings import (
    CUT_OFF,
    DEACTIVATED,
    HELD_TWICE,
    MISSING,
    SAME_NAME,
    UNMANAGED,
    UNNAMED,
    Finding,
    Kind,
    command,
)
from tenantry.audit.holdings import Held, Holding, Proof
from tenantry.providers.framework.facts import revive_line
from tenantry.providers.qlik import hostnames
from tenantry.providers.tenants.lost_answers import CLOCK_SKEW
from tenantry.providers.tenants.tenant_list import DEACTIVATED as ASLEEP


@dataclass(frozen=True)
class Listed:
    """A tenant as the organisation lists it. `hostnames` begin with the system's, `made` is ISO 8601."""

    id: str
    name: str
    hostnames: tuple[str, ...]
    status: str
    made: str = ""
    purged_on: str = ""
    licence: str = ""
    licence_ends: str = ""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Listed:
        """Return a tenant of the list."""
        return cls(
            str(found["id"]),
            found.get("name") or "",
            tuple(str(each).lower() for each in found.get("hostnames") or ()),
            str(found.get("status", "")),
            str(found.get("createdAt") or ""),
            str(found.get("deletionStartsAt") or "")[:10],
            str(found.get("licenseNumber") or found.get("subscriptionId") or ""),
            str(found.get("licenseEndsAt") or found.get("licenceEndsAt") or "")[:10],
        )

    @property
    def hostname(self) -> str:
        """Its system hostname; of one that has none its id."""
        return self.hostnames[0] if self.hostnames else self.id

    @property
    def region(self) -> str:
        """Its region."""
        return hostnames.region(self.hostname)

    @property
    def alive(self) -> bool:
        """Whether it can be used."""
        return self.status == "active"

    @property
    def asleep(self) -> bool:
        """Whether it is deactivated, and can be brought back."""
        return self.status in ASLEEP

    @property
    def unnamed(self) -> bool:
        """Whether nobody has given it a name: then Qlik shows the label of its hostname, or nothing."""
        return self.name in ("", self.hostname.partition(".")[0])

    @property
    def revival(self) -> tuple[str, ...]:
        """The line for a stack file that takes it up; none without a hostname."""
        return (revive_line(self.hostname, self.id),) if self.hostnames else ()

    def is_it(self, held: Held) -> bool:
        """Tell whether a tenant in a state is this one."""
        return held.hostname in self.hostnames or held.tenant_id == self.id


@dataclass(frozen=True)
class Ledger:
    """Who holds what. `sources` are hostnames of source tenants; `complete`: every state could be read."""

    holdings: Collection[Holding]
    sources: frozenset[str] = frozenset()
    complete: bool = True
    _stacks: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for holding in self.holdings:
            for held in holding.tenants:
                for key in {held.hostname, held.tenant_id} - {""}:
                    self._stacks.setdefault(key, []).append(holding.stack)

    def stacks(self, tenant: Listed) -> list[str]:
        """Return the stacks that hold a tenant."""
        found = (self._stacks.get(key, ()) for key in (*tenant.hostnames, tenant.id))
        return sorted({stack for stacks in found for stack in stacks})

    def is_source(self, tenant: Listed) -> bool:
        """Tell whether a tenant is the source tenant of a stack."""
        return not self.sources.isdisjoint(tenant.hostnames)


def missing(tenants: Iterable[Listed], ledger: Ledger) -> list[tuple[str, Held]]:
    """Return the stacks that hold a tenant which is not in the list."""
    known = {key for each in tenants for key in (*each.hostnames, each.id)}
    return [
        (holding.stack, held)
        for holding in ledger.holdings
        for held in holding.tenants
        if known.isdisjoint({held.hostname, held.tenant_id})
    ]


def compare(
    tenants: Collection[Listed], gone: Iterable[tuple[str, Held]], ledger: Ledger
) -> Iterator[Finding]:
    """Yield what there is to say. `gone` are the stacks whose tenant is surely not there."""
    for tenant in tenants:
        stacks = ledger.stacks(tenant)
        if tenant.alive and not stacks and not ledger.is_source(tenant):
            yield _unheld(tenant, ledger)
        if tenant.asleep:
            yield _asleep(tenant, stacks)
        if len(stacks) > 1:
            text = f"{_described(tenant)}; held by {', '.join(stacks)}"
            yield _finding(HELD_TWICE, tenant, text, [_forget(each) for each in stacks], stacks=stacks)
    for stack, held in gone:
        facts = {"hostname": held.hostname, "tenant_id": held.tenant_id, "stacks": [stack]}
        text = f"held by {stack}; id {held.tenant_id or 'unknown'}"
        yield Finding(MISSING, held.hostname, text, (_forget(stack),), facts=facts)
    yield from _namesakes(tenants, ledger)
    for holding in ledger.holdings:
        for proof in holding.proofs:
            yield _cut_off(holding.stack, proof, tenants, ledger)


def _unheld(tenant: Listed, ledger: Ledger) -> Finding:
    if not tenant.unnamed:
        ways = [f"tenantry import {tenant.hostname}"] if tenant.hostnames else []
        return _finding(UNMANAGED, tenant, _described(tenant), ways, certain=ledger.complete)
    asked = [
        f"stack {holding.stack} was about to ask for one at {proof.made_at}"
        for holding in ledger.holdings
        for proof in holding.proofs
        if may_be_of(tenant, proof)
    ]
    text = "; ".join([f"made {tenant.made or 'at an unknown time'}, id {tenant.id}", *asked])
    return _finding(UNNAMED, tenant, text, certain=ledger.complete)


def _asleep(tenant: Listed, stacks: list[str]) -> Finding:
    purge = f"purged on {tenant.purged_on}" if tenant.purged_on else "the day of its purge is not told"
    holders = f"; held by {', '.join(stacks)}" if stacks else ""
    ways = [command("pulumi up --refresh --stack", each) for each in stacks]
    found = _finding(DEACTIVATED, tenant, f'"{tenant.name}", {purge}{holders}', ways, stacks=stacks)
    # One that a stack has let go of goes its way; one that a stack holds is down and should be up.
    return replace(found, notice=not stacks)


def _namesakes(tenants: Iterable[Listed], ledger: Ledger) -> Iterator[Finding]:
    named: dict[str, list[Listed]] = {}
    for tenant in tenants:
        if tenant.alive and not tenant.unnamed:
            named.setdefault(tenant.name, []).append(tenant)
    for name, same in sorted(named.items()):
        if len(same) > 1 and not all(map(ledger.is_source, same)):
            shown = ", ".join(_with_holders(each, ledger) for each in same)
            facts = {"name": name, "hostnames": [each.hostname for each in same]}
            yield Finding(SAME_NAME, f'"{name}"', shown, facts=facts)


def _cut_off(stack: str, proof: Proof, tenants: Iterable[Listed], ledger: Ledger) -> Finding:
    candidates = [each for each in tenants if may_be_of(each, proof) and not ledger.stacks(each)]
    about = "take back" if proof.unused else "ask for"
    text = f'was about to {about} a tenant "{proof.name}" in region {proof.region} at {proof.made_at}'
    if candidates:
        text += f"; made since: {', '.join(each.hostname for each in candidates)}"
    ways = (command("tenantry up", stack), *(line for each in candidates for line in each.revival))
    facts = {
        "stacks": [stack],
        **proof._asdict(),
        "candidates": [{"hostname": each.hostname, "tenant_id": each.id} for each in candidates],
    }
    return Finding(CUT_OFF, stack, text, ways, facts=facts)


def may_be_of(tenant: Listed, proof: Proof) -> bool:
    """Tell whether a tenant may be what a run with that proof made: since then, unnamed or so named."""
    asked, made = _moment(proof.made_at), _moment(tenant.made)
    return (
        not proof.unused
        and tenant.region == proof.region
        and (tenant.unnamed or tenant.name == proof.name)
        and (asked is None or made is None or made >= asked - CLOCK_SKEW)
    )


def _finding(
    kind: Kind, tenant: Listed, text: str, ways: Iterable[str] = (), *, certain: bool = True, **facts: Any
) -> Finding:
    told: dict[str, Any] = {
        "hostname": tenant.hostname,
        "tenant_id": tenant.id,
        "name": tenant.name,
        "region": tenant.region,
        "status": tenant.status,
        "made_at": tenant.made,
        "purged_on": tenant.purged_on or None,
        "revive": next(iter(tenant.revival), None),
        "stacks": [],
    }
    lines = tuple(ways) if kind is HELD_TWICE else (*ways, *tenant.revival)
    return Finding(kind, tenant.hostname, text, lines, certain, facts=told | facts)


def _described(tenant: Listed) -> str:
    return f'"{tenant.name}", {tenant.status}, made {tenant.made or "at an unknown time"}, id {tenant.id}'


def _with_holders(tenant: Listed, ledger: Ledger) -> str:
    stacks = ledger.stacks(tenant)
    return f"{tenant.hostname} ({', '.join(stacks) or 'no stack'})"


def _forget(stack: str) -> str:
    return command("tenantry forget", stack)


def _moment(text: str) -> datetime | None:
    """Return a moment of ISO 8601; None where there is none that can be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
