"""One look at everything: the organisation's tenants, every state of the backend, licences, staged apps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenantry.audit import licences, tenants
from tenantry.audit.backends import stacks_of
from tenantry.audit.findings import KINDS, Finding, Unread
from tenantry.audit.holdings import Explain, Held, Holding, read_all
from tenantry.audit.leftovers import LeftOver, Search
from tenantry.audit.tenants import Ledger, Listed
from tenantry.errors import TenantryError
from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.qlik import Cloud, NotFound, QlikError, hostnames
from tenantry.providers.tenants.tenant_list import DELETED
from tenantry.providers.values.words import counted
from tenantry.settings.document import read as read_file
from tenantry.settings.project import Project
from tenantry.state.backend import Backend

SOURCE_TENANT = "qlik:source_tenant"
TENANTS = "/api/core/tenants"


class UnknownRegion(TenantryError):
    """No tenant is in the region that was asked for; the message names the regions that there are."""


@dataclass(frozen=True)
class Audit:
    """What a look found. `tenants` and `stacks` are how many were looked at; `search` looks at apps again."""

    tenants: int
    stacks: int
    findings: Sequence[Finding]
    unread: Sequence[Unread]
    left_over: Sequence[LeftOver]
    search: Search


def look(
    cloud: Cloud,
    project: Project,
    backend: Backend,
    *,
    region: str = "",
    at_once: int,
    explain: Explain,
    say: Callable[[str], None],
) -> Audit:
    """Look at all tenants of the organisation and all stacks of the backend, or at those of one region.

    Raises QlikError where the organisation does not list its tenants, PulumiFailed where there is no backend,
    UnknownRegion.
    """
    # The list before the states: what a run makes and records meanwhile is then not taken for unmanaged.
    found = map(Listed.of, cloud.organisation().list(TENANTS, {"sort": "-createdAt"}))
    listed = [each for each in found if each.status != DELETED]
    names, why = stacks_of(backend, project)
    say(f"{counted(len(listed), 'tenant')}; reading {counted(len(names), 'state')}")
    holdings, unread = read_all(backend, names, at_once, explain)
    if why:
        unread.append(Unread("the list of all stacks", why))
    sources = frozenset[str]().union(*(each.sources for each in holdings), _sources(project))
    ledger = Ledger([_of_region(each, region) for each in holdings], sources, not unread)
    known = sorted({each.region for each in listed} - {""})
    if region and region not in known and not any(each.tenants or each.proofs for each in ledger.holdings):
        raise UnknownRegion(f"No tenant is in region {region}; there are some in: {', '.join(known)}")
    there = [each for each in listed if not region or each.region == region]

    gone, later = _verified(cloud, tenants.missing(there, ledger), unread)
    there += later
    findings = list(tenants.compare(there, gone, ledger))
    findings += licences.ending(there, ledger, Preflight(cloud), unread)
    search = Search(cloud, backend, explain, ledger.complete)
    held = {each.hostname: stacks for each in there if each.alive and (stacks := ledger.stacks(each))}
    say(f"looking for left-over apps in {counted(len(held), 'tenant')}")
    ids = frozenset[str]().union(*(each.ids for each in holdings))
    left_over = search.search(held, ids, at_once, unread)
    findings += [each.finding for each in left_over]
    findings.sort(key=lambda each: (KINDS.index(each.kind), each.about))
    return Audit(len(there), len(names), findings, unread, left_over, search)


def _of_region(holding: Holding, region: str) -> Holding:
    """Return what a stack holds in a region."""
    if not region:
        return holding
    return Holding(
        holding.stack,
        tuple(each for each in holding.tenants if hostnames.region(each.hostname) == region),
        tuple(each for each in holding.proofs if each.region == region),
        holding.sources,
        holding.ids,
        holding.importing,
    )


def _sources(project: Project) -> set[str]:
    """Return the source tenants that the project and its stack files name."""
    values = [project.config]
    for file in project.stack_files().values():
        read = read_file(file).value
        values.append(project.values_of(read.get("config") if isinstance(read, dict) else None))
    return {str(each[SOURCE_TENANT]).lower() for each in values if each.get(SOURCE_TENANT)}


def _verified(
    cloud: Cloud, missing: Sequence[tuple[str, Held]], unread: list[Unread]
) -> tuple[list[tuple[str, Held]], list[Listed]]:
    """Ask for each missing tenant by itself; return those that are gone, and those that are there after all.

    A tenant that was made after the list was read, or that the list does not show yet, is there.
    """
    gone, there = [], []
    for stack, held in missing:
        try:
            found = cloud.organisation().get(f"{TENANTS}/{held.tenant_id}")["data"] if held.tenant_id else []
        except NotFound:
            found = []
        except QlikError as error:
            unread.append(Unread(f"tenant {held.hostname} of stack {stack}", str(error)))
            continue
        living = [each for each in map(Listed.of, found) if each.status != DELETED and each.is_it(held)]
        there += living
        if not living:
            gone.append((stack, held))
    return gone, there
