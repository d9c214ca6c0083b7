"""The tenant that a stack has, with its groups and spaces: whether they are there, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from tenantry.checks.findings import Finding, at
from tenantry.providers import group, space, tenant
from tenantry.providers.framework.handlers import Collection
from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.values import tokens
from tenantry.pulumi_internals.deployment import Resource, State, resources
from tenantry.settings import names
from tenantry.settings.models import Customer
from tenantry.settings.sources import CUSTOMER, Sources
from tenantry.state.entries import TENANT

COLLECTIONS: dict[str, Collection] = {"groups": group.HANDLER, "spaces": space.HANDLER}
"""What is looked at, by the block of the settings."""


class There(NamedTuple):
    """What the state has of one kind, by key, and what the tenant has, by id."""

    held: dict[str, Resource]
    listed: dict[str, dict[str, Any]]


def findings(customer: Customer, sources: Sources, state: State, preflight: Preflight) -> Iterator[Finding]:
    """Yield what keeps `pulumi up` from working in the tenant of a stack; nothing for a stack without one."""
    found = next((each for each in resources(state) if each["type"] == TENANT), None)
    tenant_id = (found.get("outputs") or {}).get("tenant_id") if found else None
    if found is None or not tenant_id:
        return
    host = str(found["id"])
    status = _status(preflight, host, tenant_id)
    if status == "gone":
        text = (
            f"Qlik knows no tenant {host} any more: it was purged, or deleted. `tenantry forget` takes it "
            "out of the state; the next `pulumi up` then makes a new one"
        )
        yield Finding("error", "tenant", text)
    elif status == "disabled":
        yield Finding("warning", "tenant", f"{host} is deactivated; `pulumi up --refresh` reactivates it")
    else:
        yield Finding("ok", "tenant", status)
        for block in COLLECTIONS:
            yield from _of_block(block, customer, sources, state, host, preflight)


def _of_block(
    block: str, customer: Customer, sources: Sources, state: State, host: str, preflight: Preflight
) -> Iterator[Finding]:
    handler = COLLECTIONS[block]
    wanted = getattr(customer, block)
    if not wanted:
        return
    there = There(_held(state, handler), _listed(preflight, host, handler.path))
    for key, entry in wanted.items():
        noun = f'{handler.resource_type.__name__.lower()} "{entry.name}"'
        mine = next(
            (there.held[each] for each in (key, *names.former(entry.renamed_from)) if each in there.held),
            None,
        )
        if mine is not None:
            if mine["id"] not in there.listed:
                text = f"{noun} ({mine['id']}) is not on {host} any more; `pulumi up --refresh` makes it anew"
                yield at(sources, (CUSTOMER, block, key), "warning", block, text)
            continue
        theirs = _named_like(entry, there)
        if theirs and not entry.adopt and not _is_ours(preflight, host, handler, theirs, entry):
            text = (
                f"{noun} is on {host} already, made by somebody else (id {theirs['id']}); `adopt: true` "
                "takes it over as it is, another name makes another one"
            )
            yield at(sources, (CUSTOMER, block, key), "error", block, text)


def _held(state: State, handler: Collection) -> dict[str, Resource]:
    """Return what the state has of a kind, by its key in the settings."""
    token = tokens.of(handler.resource_type.__name__)
    found = (each for each in resources(state) if each["type"] == token and not each.get("delete"))
    return {str(each["urn"]).rpartition("::")[2]: each for each in found}


def _named_like(entry: Any, there: There) -> dict[str, Any] | None:
    """Return what the tenant has of that name; not what another entry holds, which `held_names` tells."""
    ids = {each["id"] for each in there.held.values()}
    want = _wanted(entry)
    for each in there.listed.values():
        kind = each.get("providerType", "idp") if "provider_type" in want else None
        if each["name"] == entry.name and kind == want.get("provider_type") and each["id"] not in ids:
            return each
    return None


def _wanted(entry: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": entry.name}
    with suppress(AttributeError):
        found["provider_type"] = entry.provider_type
    return found


def _status(preflight: Preflight, host: str, tenant_id: str) -> str:
    """Return the status of a tenant: "active", "disabled", or "gone" if Qlik knows it no more."""

    def ask() -> dict[str, Any]:
        return tenant.HANDLER.read(preflight.cloud, host, {"tenant_id": tenant_id}) or {}

    return str(preflight.once(("tenant", host), ask).get("status"))


def _listed(preflight: Preflight, host: str, path: str) -> dict[str, dict[str, Any]]:
    """Return a collection of a tenant, by id."""

    def ask() -> dict[str, dict[str, Any]]:
        return {each["id"]: each for each in preflight.cloud.tenant(host).list(path)}

    return preflight.once(("list", host, path), ask)


def _is_ours(
    preflight: Preflight, host: str, handler: Collection, theirs: dict[str, Any], entry: Any
) -> bool:
    return handler.is_ours(preflight.cloud.tenant(host), theirs, _wanted(entry))
