"""The tenant of a stack with its groups and spaces: whether they exist, and who created them."""

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
"""The handlers of the checked objects, by block of the settings."""


class KnownObjects(NamedTuple):
    """The objects of one type: in the state by key, and in the tenant by id."""

    held: dict[str, Resource]
    listed: dict[str, dict[str, Any]]


def findings(customer: Customer, sources: Sources, state: State, preflight: Preflight) -> Iterator[Finding]:
    """Yield what prevents `pulumi up` in the tenant of a stack; nothing if the stack has no tenant."""
    found = next((resource for resource in resources(state) if resource["type"] == TENANT), None)
    tenant_id = (found.get("outputs") or {}).get("tenant_id") if found else None
    if found is None or not tenant_id:
        return
    host = str(found["id"])
    status = _status(preflight, host, tenant_id)
    if status == "gone":
        text = (
            f"the tenant {host} no longer exists at Qlik. Run `tenantry forget` to remove it from the state; "
            "the next `pulumi up` then creates a new one"
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
    there = KnownObjects(_held(state, handler), _listed(preflight, host, handler.path))
    for key, entry in wanted.items():
        noun = f'{handler.resource_type.__name__.lower()} "{entry.name}"'
        mine = next(
            (
                there.held[name]
                for name in (key, *names.former_names(entry.renamed_from))
                if name in there.held
            ),
            None,
        )
        if mine is not None:
            if mine["id"] not in there.listed:
                gone = f"{noun} ({mine['id']}) no longer exists on {host}"
                text = f"{gone}; `pulumi up --refresh` creates it again"
                yield at(sources, (CUSTOMER, block, key), "warning", block, text)
            continue
        theirs = _named_like(entry, there)
        if theirs and not entry.adopt and not _is_ours(preflight, host, handler, theirs, entry):
            text = (
                f"{noun} exists on {host}, but this client did not create it (id {theirs['id']}). Set "
                "`adopt: true` to manage it, or give another name to create a new one"
            )
            yield at(sources, (CUSTOMER, block, key), "error", block, text)


def _held(state: State, handler: Collection) -> dict[str, Resource]:
    """Return the resources of a type in the state, by key in the settings."""
    token = tokens.of(handler.resource_type.__name__)
    found = (
        resource for resource in resources(state) if resource["type"] == token and not resource.get("delete")
    )
    return {str(resource["urn"]).rpartition("::")[2]: resource for resource in found}


def _named_like(entry: Any, there: KnownObjects) -> dict[str, Any] | None:
    """Return the tenant's object with this name, unless another entry holds it: `held_names` reports that."""
    ids = {resource["id"] for resource in there.held.values()}
    want = _wanted(entry)
    for found in there.listed.values():
        kind = found.get("providerType", "idp") if "provider_type" in want else None
        if found["name"] == entry.name and kind == want.get("provider_type") and found["id"] not in ids:
            return found
    return None


def _wanted(entry: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": entry.name}
    with suppress(AttributeError):
        found["provider_type"] = entry.provider_type
    return found


def _status(preflight: Preflight, host: str, tenant_id: str) -> str:
    """Return the status of a tenant: "active", "disabled", or "gone" if it no longer exists."""

    def request() -> dict[str, Any]:
        return tenant.HANDLER.read(preflight.cloud, host, {"tenant_id": tenant_id}) or {}

    return str(preflight.once(("tenant", host), request).get("status"))


def _listed(preflight: Preflight, host: str, path: str) -> dict[str, dict[str, Any]]:
    """Return a collection of a tenant, by id."""

    def request() -> dict[str, dict[str, Any]]:
        return {found["id"]: found for found in preflight.cloud.tenant(host).list(path)}

    return preflight.once(("list", host, path), request)


def _is_ours(
    preflight: Preflight, host: str, handler: Collection, theirs: dict[str, Any], entry: Any
) -> bool:
    return handler.is_ours(preflight.cloud.tenant(host), theirs, _wanted(entry))
