"""The whole audit: the organisation's tenants, all states of the backend, licences and staged apps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenantry.audit import licences, tenants
from tenantry.audit.backends import stacks_of
from tenantry.audit.findings import KINDS, Finding, Unread
from tenantry.audit.holdings import Explain, HeldTenant, Holding, read_all
from tenantry.audit.leftovers import LeftOver, Search
from tenantry.audit.tenants import Ledger, ListedTenant
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
    """There is no tenant in the given region. The message lists the regions that have tenants."""


@dataclass(frozen=True)
class Audit:
    """The result of an audit. `tenants` and `stacks` are counts. `search` can delete the left-over apps."""

    tenants: int
    stacks: int
    findings: Sequence[Finding]
    unread: Sequence[Unread]
    left_over: Sequence[LeftOver]
    search: Search


def run_audit(
    cloud: Cloud,
    project: Project,
    backend: Backend,
    *,
    region: str = "",
    at_once: int,
    explain: Explain,
    say: Callable[[str], None],
) -> Audit:
    """Compare all tenants of the organisation, or those of one region, with all stacks of the backend.

    Raises QlikError if the organisation does not list its tenants, PulumiFailed if the backend cannot be
    read, and UnknownRegion.
    """
    # The list is read before the states, so that a tenant created in between does not look unmanaged.
    entries = map(ListedTenant.of, cloud.organisation().list(TENANTS, {"sort": "-createdAt"}))
    listed = [tenant for tenant in entries if tenant.status != DELETED]
    stack_names, list_problem = stacks_of(backend, project)
    say(f"{counted(len(listed), 'tenant')}; reading {counted(len(stack_names), 'state')}")
    holdings, unread = read_all(backend, stack_names, at_once, explain)
    if list_problem:
        unread.append(Unread("the list of all stacks", list_problem))
    sources = frozenset[str]().union(*(holding.sources for holding in holdings), _sources(project))
    ledger = Ledger([_restricted_to_region(holding, region) for holding in holdings], sources, not unread)
    regions = sorted({tenant.region for tenant in listed} - {""})
    if (
        region
        and region not in regions
        and not any(holding.tenants or holding.proofs for holding in ledger.holdings)
    ):
        raise UnknownRegion(
            f"There is no tenant in region {region}. Regions with tenants: {', '.join(regions)}."
        )
    tenants_in_scope = [tenant for tenant in listed if not region or tenant.region == region]

    gone, unlisted = _verify_missing(cloud, tenants.missing(tenants_in_scope, ledger), unread)
    tenants_in_scope += unlisted
    findings = list(tenants.compare(tenants_in_scope, gone, ledger))
    findings += licences.ending(tenants_in_scope, ledger, Preflight(cloud), unread)
    search = Search(cloud, backend, explain, ledger.complete)
    stacks_by_hostname = {
        tenant.hostname: stacks
        for tenant in tenants_in_scope
        if tenant.is_active and (stacks := ledger.stacks(tenant))
    }
    say(f"searching for left-over apps in {counted(len(stacks_by_hostname), 'tenant')}")
    ids = frozenset[str]().union(*(holding.ids for holding in holdings))
    left_over = search.search(stacks_by_hostname, ids, at_once, unread)
    findings += [app.finding for app in left_over]
    findings.sort(key=lambda finding: (KINDS.index(finding.kind), finding.about))
    return Audit(len(tenants_in_scope), len(stack_names), findings, unread, left_over, search)


def _restricted_to_region(holding: Holding, region: str) -> Holding:
    """Return a holding with only the tenants and proofs in a region."""
    if not region:
        return holding
    return Holding(
        holding.stack,
        tuple(held for held in holding.tenants if hostnames.region(held.hostname) == region),
        tuple(proof for proof in holding.proofs if proof.region == region),
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
    return {str(config[SOURCE_TENANT]).lower() for config in values if config.get(SOURCE_TENANT)}


def _verify_missing(
    cloud: Cloud, missing: Sequence[tuple[str, HeldTenant]], unread: list[Unread]
) -> tuple[list[tuple[str, HeldTenant]], list[ListedTenant]]:
    """Request each missing tenant by its id. Return the tenants that are gone, and those that exist.

    A tenant that is not in the list can exist: it was created later, or the list does not show it yet.
    """
    gone, present = [], []
    for stack, held in missing:
        try:
            entries = (
                cloud.organisation().get(f"{TENANTS}/{held.tenant_id}")["data"] if held.tenant_id else []
            )
        except NotFound:
            entries = []
        except QlikError as error:
            unread.append(Unread(f"tenant {held.hostname} of stack {stack}", str(error)))
            continue
        existing = [
            tenant
            for tenant in map(ListedTenant.of, entries)
            if tenant.status != DELETED and tenant.matches(held)
        ]
        present += existing
        if not existing:
            gone.append((stack, held))
    return gone, present
