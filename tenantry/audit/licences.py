"""Licences that end soon, according to the organisation's list of tenants or to the source tenants."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from tenantry.audit.findings import LICENCE, Finding, Unread
from tenantry.audit.tenants import Ledger, ListedTenant
from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.qlik import QlikError
from tenantry.providers.values.words import counted

SOON_DAYS = 30


def ending(
    tenants: Collection[ListedTenant], ledger: Ledger, preflight: Preflight, unread: list[Unread]
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
        if day and _ends_soon(day, preflight.today):
            text = f"{_end_text(day, preflight.today)}; {counted(number, 'tenant')} under it"
            facts = {"licence": licence, "ends": str(day), "tenants": number}
            yield Finding(LICENCE, licence or "a licence without a number", text, facts=facts)
    listed_licences = {licence for licence, _ in counts}
    for source in active:
        if ledger.is_source(source) and source.licence not in listed_licences:
            yield from _source_licence(source, preflight, unread)


def _source_licence(source: ListedTenant, preflight: Preflight, unread: list[Unread]) -> Iterator[Finding]:
    try:
        day = preflight.licence(source.hostname).ends
    except QlikError as error:
        unread.append(Unread(f"the licence of source tenant {source.hostname}", str(error)))
        return
    if day and _ends_soon(day, preflight.today):
        facts = {"licence": source.licence or None, "ends": str(day), "source_tenant": source.hostname}
        text = f"the licence of source tenant {source.hostname}; {_end_text(day, preflight.today)}"
        yield Finding(LICENCE, source.licence or source.hostname, text, facts=facts)


def _ends_soon(day: date, today: date) -> bool:
    return (day - today).days <= SOON_DAYS


def _end_text(day: date, today: date) -> str:
    days = (day - today).days
    return f"ends on {day}, in {counted(days, 'day')}" if days >= 0 else f"ended on {day}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
