"""The licences of a fleet: what each allows, and how much of it is used.

Qlik counts units for a whole licence. All tenants that share it see the same numbers, so the use of a single
customer is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tenantry.fleet.inventory import StackStatus
from tenantry.providers.lookups.preflight import TENANTS_PER_REGION, Licence, Preflight
from tenantry.providers.qlik import QlikError, hostnames


@dataclass(frozen=True)
class LicenceUse:
    """The licence of one source tenant.

    `stacks` counts the stacks that use it, and `tenants` counts those with a tenant. `in_region` counts the
    organisation's tenants in the region, or is None if the organisation does not report it. `trouble` is the
    reason if the licence cannot be read.
    """

    source: str
    region: str
    stacks: int
    tenants: int
    licence: Licence | None = None
    in_region: int | None = None
    trouble: str = ""


def licence_uses(stack_statuses: Iterable[StackStatus], preflight: Preflight) -> list[LicenceUse]:
    """Return the licences of some stacks, one per source tenant, including those that cannot be read.

    Sends reads only. A stack with a broken file has no source tenant and is left out.
    """
    by_source: dict[str, list[StackStatus]] = {}
    for stack_status in stack_statuses:
        if stack_status.member.source_tenant:
            by_source.setdefault(stack_status.member.source_tenant, []).append(stack_status)
    return [_use(source, by_source[source], preflight) for source in sorted(by_source)]


def _use(source: str, stack_statuses: Sequence[StackStatus], preflight: Preflight) -> LicenceUse:
    region = hostnames.region(source)
    use = LicenceUse(
        source, region, len(stack_statuses), sum(stack_status.has_tenant for stack_status in stack_statuses)
    )
    try:
        licence = preflight.licence(source)
    except QlikError as error:
        return replace(use, trouble=str(error))
    return replace(use, licence=licence, in_region=_in_region(region, preflight))


def _in_region(region: str, preflight: Preflight) -> int | None:
    if not preflight.has_organisation:
        return None
    try:
        return len(preflight.tenants(region))
    except QlikError:
        return None


COLUMNS = ("source tenant", "licence", "status", "ends", "entitlement", "units", "used", "stacks", "region")


def rows(uses: Iterable[LicenceUse]) -> Iterator[tuple[str, ...]]:
    """Yield a row under COLUMNS for each entitlement type of each licence. An unknown value is "unknown"."""
    for use in uses:
        yield from _rows(use)


def _rows(use: LicenceUse) -> Iterator[tuple[str, ...]]:
    stacks = f"{use.stacks:,}, {use.tenants:,} with a tenant"
    number = (
        "tenants unknown" if use.in_region is None else f"{use.in_region:,} of {TENANTS_PER_REGION:,} tenants"
    )
    end_cells = (stacks, f"{use.region}: {number}")
    licence = use.licence
    if licence is None:
        yield (use.source, "", f"unknown: {use.trouble}", "", "", "", "", *end_cells)
        return
    status = f"{licence.status}, trial" if licence.trial else licence.status
    begin_cells = (use.source, licence.number or "unknown", status, str(licence.ends or "open-ended"))
    for allotment in licence.allotments:
        overage = {None: "", 0: "", -1: ", more as needed"}.get(
            allotment.overage, f", {allotment.overage} more"
        )
        yield (
            *begin_cells,
            allotment.name,
            f"{allotment.units:,}{overage}",
            f"{allotment.used:,}",
            *end_cells,
        )
    if not licence.allotments:
        yield (*begin_cells, "unknown", "", "", *end_cells)
