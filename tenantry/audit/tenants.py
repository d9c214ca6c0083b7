"""Comparison of the organisation's tenants (https://qlik.dev/apis/org-rest) with what the states hold."""

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
from tenantry.audit.holdings import HeldTenant, Holding, Proof
from tenantry.providers.framework.facts import revive_line
from tenantry.providers.qlik import hostnames
from tenantry.providers.tenants.lost_responses import CLOCK_SKEW
from tenantry.providers.tenants.tenant_list import DEACTIVATED as ASLEEP


@dataclass(frozen=True)
class Listed:
    """A tenant in the organisation's list.

    The system hostname is first in `hostnames`; `made` is ISO 8601.
    """

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
        """Return a tenant from an entry of the list."""
        return cls(
            str(found["id"]),
            found.get("name") or "",
            tuple(str(hostname).lower() for hostname in found.get("hostnames") or ()),
            str(found.get("status", "")),
            str(found.get("createdAt") or ""),
            str(found.get("deletionStartsAt") or "")[:10],
            str(found.get("licenseNumber") or found.get("subscriptionId") or ""),
            str(found.get("licenseEndsAt") or found.get("licenceEndsAt") or "")[:10],
        )

    @property
    def hostname(self) -> str:
        """The system hostname, or the id if there is none."""
        return self.hostnames[0] if self.hostnames else self.id

    @property
    def region(self) -> str:
        """The region of the tenant."""
        return hostnames.region(self.hostname)

    @property
    def is_active(self) -> bool:
        """Whether the tenant is active."""
        return self.status == "active"

    @property
    def is_deactivated(self) -> bool:
        """Whether the tenant is deactivated and can be brought back."""
        return self.status in ASLEEP

    @property
    def is_unnamed(self) -> bool:
        """Whether the tenant has no name of its own.

        Qlik then shows the label of its hostname, or nothing.
        """
        return self.name in ("", self.hostname.partition(".")[0])

    @property
    def revive_lines(self) -> tuple[str, ...]:
        """The line for a stack file that brings it under management; none without a hostname."""
        return (revive_line(self.hostname, self.id),) if self.hostnames else ()

    def matches(self, held: HeldTenant) -> bool:
        """Tell whether this is the tenant in a state."""
        return held.hostname in self.hostnames or held.tenant_id == self.id


@dataclass(frozen=True)
class Ledger:
    """What all stacks hold.

    `sources` are hostnames of source tenants. `complete`: all states were readable.
    """

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


def missing(tenants: Iterable[Listed], ledger: Ledger) -> list[tuple[str, HeldTenant]]:
    """Return the stacks that hold a tenant which is not in the list."""
    known = {key for tenant in tenants for key in (*tenant.hostnames, tenant.id)}
    return [
        (holding.stack, held)
        for holding in ledger.holdings
        for held in holding.tenants
        if known.isdisjoint({held.hostname, held.tenant_id})
    ]


def compare(
    tenants: Collection[Listed], gone: Iterable[tuple[str, HeldTenant]], ledger: Ledger
) -> Iterator[Finding]:
    """Yield the findings. `gone` are stacks whose tenant certainly does not exist."""
    for tenant in tenants:
        stacks = ledger.stacks(tenant)
        if tenant.is_active and not stacks and not ledger.is_source(tenant):
            yield _unheld(tenant, ledger)
        if tenant.is_deactivated:
            yield _asleep(tenant, stacks)
        if len(stacks) > 1:
            text = f"{_described(tenant)}; held by {', '.join(stacks)}"
            yield _finding(HELD_TWICE, tenant, text, [_forget(stack) for stack in stacks], stacks=stacks)
    for stack, held in gone:
        facts = {"hostname": held.hostname, "tenant_id": held.tenant_id, "stacks": [stack]}
        text = f"held by {stack}; id {held.tenant_id or 'unknown'}"
        yield Finding(MISSING, held.hostname, text, (_forget(stack),), facts=facts)
    yield from _namesakes(tenants, ledger)
    for holding in ledger.holdings:
        for proof in holding.proofs:
            yield _cut_off(holding.stack, proof, tenants, ledger)


def _unheld(tenant: Listed, ledger: Ledger) -> Finding:
    if not tenant.is_unnamed:
        ways = [f"tenantry import {tenant.hostname}"] if tenant.hostnames else []
        return _finding(UNMANAGED, tenant, _described(tenant), ways, certain=ledger.complete)
    asked = [
        f"stack {holding.stack} was about to request one at {proof.made_at}"
        for holding in ledger.holdings
        for proof in holding.proofs
        if may_be_of(tenant, proof)
    ]
    text = "; ".join([f"created {tenant.made or 'at an unknown time'}, id {tenant.id}", *asked])
    return _finding(UNNAMED, tenant, text, certain=ledger.complete)


def _asleep(tenant: Listed, stacks: list[str]) -> Finding:
    purge = f"purged on {tenant.purged_on}" if tenant.purged_on else "purge date unknown"
    holders = f"; held by {', '.join(stacks)}" if stacks else ""
    ways = [command("pulumi up --refresh --stack", stack) for stack in stacks]
    found = _finding(DEACTIVATED, tenant, f'"{tenant.name}", {purge}{holders}', ways, stacks=stacks)
    # If no stack holds it, the purge is expected. If a stack holds it, the tenant should be active.
    return replace(found, notice=not stacks)


def _namesakes(tenants: Iterable[Listed], ledger: Ledger) -> Iterator[Finding]:
    named: dict[str, list[Listed]] = {}
    for tenant in tenants:
        if tenant.is_active and not tenant.is_unnamed:
            named.setdefault(tenant.name, []).append(tenant)
    for name, same in sorted(named.items()):
        if len(same) > 1 and not all(map(ledger.is_source, same)):
            shown = ", ".join(_with_holders(tenant, ledger) for tenant in same)
            facts = {"name": name, "hostnames": [tenant.hostname for tenant in same]}
            yield Finding(SAME_NAME, f'"{name}"', shown, facts=facts)


def _cut_off(stack: str, proof: Proof, tenants: Iterable[Listed], ledger: Ledger) -> Finding:
    candidates = [tenant for tenant in tenants if may_be_of(tenant, proof) and not ledger.stacks(tenant)]
    about = "revive" if proof.unused else "request"
    text = f'was about to {about} a tenant "{proof.name}" in region {proof.region} at {proof.made_at}'
    if candidates:
        text += f"; created since then: {', '.join(tenant.hostname for tenant in candidates)}"
    ways = (command("tenantry up", stack), *(line for tenant in candidates for line in tenant.revive_lines))
    facts = {
        "stacks": [stack],
        **proof._asdict(),
        "candidates": [{"hostname": tenant.hostname, "tenant_id": tenant.id} for tenant in candidates],
    }
    return Finding(CUT_OFF, stack, text, ways, facts=facts)


def may_be_of(tenant: Listed, proof: Proof) -> bool:
    """Tell whether a run with this proof may have created a tenant: later, with its name or no name."""
    asked, made = _moment(proof.made_at), _moment(tenant.made)
    return (
        not proof.unused
        and tenant.region == proof.region
        and (tenant.is_unnamed or tenant.name == proof.name)
        and (asked is None or made is None or made >= asked - CLOCK_SKEW)
    )


def _finding(
    kind: Kind, tenant: Listed, text: str, ways: Iterable[str] = (), *, certain: bool = True, **facts: Any
) -> Finding:
    common: dict[str, Any] = {
        "hostname": tenant.hostname,
        "tenant_id": tenant.id,
        "name": tenant.name,
        "region": tenant.region,
        "status": tenant.status,
        "made_at": tenant.made,
        "purged_on": tenant.purged_on or None,
        "revive": next(iter(tenant.revive_lines), None),
        "stacks": [],
    }
    lines = tuple(ways) if kind is HELD_TWICE else (*ways, *tenant.revive_lines)
    return Finding(kind, tenant.hostname, text, lines, certain, facts=common | facts)


def _described(tenant: Listed) -> str:
    return f'"{tenant.name}", {tenant.status}, created {tenant.made or "at an unknown time"}, id {tenant.id}'


def _with_holders(tenant: Listed, ledger: Ledger) -> str:
    stacks = ledger.stacks(tenant)
    return f"{tenant.hostname} ({', '.join(stacks) or 'no stack'})"


def _forget(stack: str) -> str:
    return command("tenantry forget", stack)


def _moment(text: str) -> datetime | None:
    """Parse an ISO 8601 time; None if it cannot be parsed."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
