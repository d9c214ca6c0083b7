"""Licences that end soon, according to the organisation's list of tenants or to the source tenants."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from tenantry.audit.findings import LICENCE, Finding, Unread
from tenantry.audit.tenants import Ledger, Listed
from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.qlik import QlikError
from tenantry.providers.values.words import counted

SOON_DAYS = 30


def ending(
    tenants: Collection[Listed], ledger: Ledger, preflight: Preflight, unread: list[Unread]
) -> Iterator[Finding]:
    """Yield each licence that ends within 30 days. Add unreadable source tenants to `unread`."""
    active = [tenant for tenant in tenants if tenant.is_active]
    counts: dict[tuple[str, str], int] = {}
    for tenant in active:
        if tenant.licence_ends:
            key = tenant.licence, tenant.licence_ends
            counts[key] = counts.get(key, 0) + 1
    for (licence, ends), number in sorted(counts.items()):
        day = _day(ends)
        if day and _soon(day, preflight.today):
            text = f"{_when(day, preflight.today)}; {counted(number, 'tenant')} under it"
            facts = {"licence": licence, "ends": str(day), "tenants": number}
            yield Finding(LICENCE, licence or "a licence without a number", text, facts=facts)
    known = {licence for licence, _ in counts}
    for source in active:
        if ledger.is_source(source) and source.licence not in known:
            yield from _of_source(source, preflight, unread)


def _of_source(source: Listed, preflight: Preflight, unread: list[Unread]) -> Iterator[Finding]:
    try:
        day = preflight.licence(source.hostname).ends
    except QlikError as error:
        unread.append(Unread(f"the licence of source tenant {source.hostname}", str(error)))
        return
    if day and _soon(day, preflight.today):
        facts = {"licence": source.licence or None, "ends": str(day), "source_tenant": source.hostname}
        text = f"the licence of source tenant {source.hostname}; {_when(day, preflight.today)}"
        yield Finding(LICENCE, source.licence or source.hostname, text, facts=facts)


def _soon(day: date, today: date) -> bool:
    return (day - today).days <= SOON_DAYS


def _when(day: date, today: date) -> str:
    left = (day - today).days
    return f"ends on {day}, in {counted(left, 'day')}" if left >= 0 else f"ended on {day}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
