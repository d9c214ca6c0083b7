"""The comparison of the organisation's tenants (https://qlik.dev/apis/org-rest) with the states."""

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
from tenantry.providers.tenants.tenant_list import DEACTIVATED as DEACTIVATED_STATUSES


@dataclass(frozen=True)
class ListedTenant:
    """A tenant in the organisation's list.

    The system hostname is first in `hostnames`. `created_at` is ISO 8601.
    """

    id: str
    name: str
    hostnames: tuple[str, ...]
    status: str
    created_at: str = ""
    purged_on: str = ""
    licence: str = ""
    licence_ends: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> ListedTenant:
        """Return a tenant from an entry of the list."""
        return cls(
            str(entry["id"]),
            entry.get("name") or "",
            tuple(str(hostname).lower() for hostname in entry.get("hostnames") or ()),
            str(entry.get("status", "")),
            str(entry.get("createdAt") or ""),
            str(entry.get("deletionStartsAt") or "")[:10],
            str(entry.get("licenseNumber") or entry.get("subscriptionId") or ""),
            str(entry.get("licenseEndsAt") or entry.get("licenceEndsAt") or "")[:10],
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
        return self.status in DEACTIVATED_STATUSES

    @property
    def is_unnamed(self) -> bool:
        """Whether the tenant has no name of its own.

        Qlik then shows the label of its hostname, or nothing.
        """
        return self.name in ("", self.hostname.partition(".")[0])

    @property
    def revive_lines(self) -> tuple[str, ...]:
        """The line for a stack file that brings it under management. Without a hostname, there is none."""
        return (revive_line(self.hostname, self.id),) if self.hostnames else ()

    def matches(self, held: HeldTenant) -> bool:
        """Tell whether this is the tenant in a state."""
        return held.hostname in self.hostnames or held.tenant_id == self.id


@dataclass(frozen=True)
class Ledger:
    """The holdings of all stacks.

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

    def stacks(self, tenant: ListedTenant) -> list[str]:
        """Return the stacks that hold a tenant."""
        stacks_by_key = (self._stacks.get(key, ()) for key in (*tenant.hostnames, tenant.id))
        return sorted({stack for stacks in stacks_by_key for stack in stacks})

    def is_source(self, tenant: ListedTenant) -> bool:
        """Tell whether a tenant is the source tenant of a stack."""
        return not self.sources.isdisjoint(tenant.hostnames)


def missing(tenants: Iterable[ListedTenant], ledger: Ledger) -> list[tuple[str, HeldTenant]]:
    """Return the held tenants that are not in the list, each with its stack."""
    known = {key for tenant in tenants for key in (*tenant.hostnames, tenant.id)}
    return [
        (holding.stack, held)
        for holding in ledger.holdings
        for held in holding.tenants
        if known.isdisjoint({held.hostname, held.tenant_id})
    ]


def compare(
    tenants: Collection[ListedTenant], gone: Iterable[tuple[str, HeldTenant]], ledger: Ledger
) -> Iterator[Finding]:
    """Yield the findings. `gone` are the held tenants that certainly do not exist, each with its stack."""
    for tenant in tenants:
        stacks = ledger.stacks(tenant)
        if tenant.is_active and not stacks and not ledger.is_source(tenant):
            yield _unmanaged(tenant, ledger)
        if tenant.is_deactivated:
            yield _deactivated(tenant, stacks)
        if len(stacks) > 1:
            text = f"{_description(tenant)}; held by {', '.join(stacks)}"
            yield _finding(HELD_TWICE, tenant, text, [_forget(stack) for stack in stacks], stacks=stacks)
    for stack, held in gone:
        facts = {"hostname": held.hostname, "tenant_id": held.tenant_id, "stacks": [stack]}
        text = f"held by {stack}; id {held.tenant_id or 'unknown'}"
        yield Finding(MISSING, held.hostname, text, (_forget(stack),), facts=facts)
    yield from _same_names(tenants, ledger)
    for holding in ledger.holdings:
        for proof in holding.proofs:
            yield _cut_off(holding.stack, proof, tenants, ledger)


def _unmanaged(tenant: ListedTenant, ledger: Ledger) -> Finding:
    if not tenant.is_unnamed:
        ways = [f"tenantry import {tenant.hostname}"] if tenant.hostnames else []
        return _finding(UNMANAGED, tenant, _description(tenant), ways, certain=ledger.complete)
    requests = [
        f"stack {holding.stack} was about to request one at {proof.made_at}"
        for holding in ledger.holdings
        for proof in holding.proofs
        if may_be_of(tenant, proof)
    ]
    text = "; ".join([f"created {tenant.created_at or 'at an unknown time'}, id {tenant.id}", *requests])
    return _finding(UNNAMED, tenant, text, certain=ledger.complete)


def _deactivated(tenant: ListedTenant, stacks: list[str]) -> Finding:
    purge = f"purged on {tenant.purged_on}" if tenant.purged_on else "purge date unknown"
    holders = f"; held by {', '.join(stacks)}" if stacks else ""
    ways = [command("pulumi up --refresh --stack", stack) for stack in stacks]
    finding = _finding(DEACTIVATED, tenant, f'"{tenant.name}", {purge}{holders}', ways, stacks=stacks)
    # Without a stack, the purge is expected. With a stack, the tenant should be active.
    return replace(finding, notice=not stacks)


def _same_names(tenants: Iterable[ListedTenant], ledger: Ledger) -> Iterator[Finding]:
    by_name: dict[str, list[ListedTenant]] = {}
    for tenant in tenants:
        if tenant.is_active and not tenant.is_unnamed:
            by_name.setdefault(tenant.name, []).append(tenant)
    for name, namesakes in sorted(by_name.items()):
        if len(namesakes) > 1 and not all(map(ledger.is_source, namesakes)):
            text = ", ".join(_text_with_stacks(tenant, ledger) for tenant in namesakes)
            facts = {"name": name, "hostnames": [tenant.hostname for tenant in namesakes]}
            yield Finding(SAME_NAME, f'"{name}"', text, facts=facts)


def _cut_off(stack: str, proof: Proof, tenants: Iterable[ListedTenant], ledger: Ledger) -> Finding:
    candidates = [tenant for tenant in tenants if may_be_of(tenant, proof) and not ledger.stacks(tenant)]
    verb = "revive" if proof.unused else "request"
    text = f'was about to {verb} a tenant "{proof.name}" in region {proof.region} at {proof.made_at}'
    if candidates:
        text += f"; created since then: {', '.join(tenant.hostname for tenant in candidates)}"
    ways = (command("tenantry up", stack), *(line for tenant in candidates for line in tenant.revive_lines))
    facts = {
        "stacks": [stack],
        **proof._asdict(),
        "candidates": [{"hostname": tenant.hostname, "tenant_id": tenant.id} for tenant in candidates],
    }
    return Finding(CUT_OFF, stack, text, ways, facts=facts)


def may_be_of(tenant: ListedTenant, proof: Proof) -> bool:
    """Tell whether a run with this proof may have created a tenant.

    The tenant must be newer than the proof, and have its name or no name.
    """
    request_time, creation_time = _moment(proof.made_at), _moment(tenant.created_at)
    return (
        not proof.unused
        and tenant.region == proof.region
        and (tenant.is_unnamed or tenant.name == proof.name)
        and (request_time is None or creation_time is None or creation_time >= request_time - CLOCK_SKEW)
    )


def _finding(
    kind: Kind,
    tenant: ListedTenant,
    text: str,
    ways: Iterable[str] = (),
    *,
    certain: bool = True,
    **facts: Any,
) -> Finding:
    tenant_facts: dict[str, Any] = {
        "hostname": tenant.hostname,
        "tenant_id": tenant.id,
        "name": tenant.name,
        "region": tenant.region,
        "status": tenant.status,
        "made_at": tenant.created_at,
        "purged_on": tenant.purged_on or None,
        "revive": next(iter(tenant.revive_lines), None),
        "stacks": [],
    }
    lines = tuple(ways) if kind is HELD_TWICE else (*ways, *tenant.revive_lines)
    return Finding(kind, tenant.hostname, text, lines, certain, facts=tenant_facts | facts)


def _description(tenant: ListedTenant) -> str:
    created = f"created {tenant.created_at or 'at an unknown time'}"
    return f'"{tenant.name}", {tenant.status}, {created}, id {tenant.id}'


def _text_with_stacks(tenant: ListedTenant, ledger: Ledger) -> str:
    stacks = ledger.stacks(tenant)
    return f"{tenant.hostname} ({', '.join(stacks) or 'no stack'})"


def _forget(stack: str) -> str:
    return command("tenantry forget", stack)


def _moment(text: str) -> datetime | None:
    """Parse an ISO 8601 time. Return None if it cannot be parsed."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
