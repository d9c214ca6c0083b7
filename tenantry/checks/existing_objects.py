"""The check of a stack's tenant with its groups and spaces: whether they exist, and who created them."""

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
    """The known objects of one type: those in the state by key, and those in the tenant by id."""

    held: dict[str, Resource]
    listed: dict[str, dict[str, Any]]


def findings(customer: Customer, sources: Sources, state: State, preflight: Preflight) -> Iterator[Finding]:
    """Yield what prevents `pulumi up` in the tenant of a stack. Yields nothing if there is no tenant."""
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
            yield from _block_findings(block, customer, sources, state, host, preflight)


def _block_findings(
    block: str, customer: Customer, sources: Sources, state: State, host: str, preflight: Preflight
) -> Iterator[Finding]:
    handler = COLLECTIONS[block]
    entries = getattr(customer, block)
    if not entries:
        return
    known = KnownObjects(_resources_by_key(state, handler), _objects_by_id(preflight, host, handler.path))
    for key, entry in entries.items():
        noun = f'{handler.resource_type.__name__.lower()} "{entry.name}"'
        own_resource = next(
            (
                known.held[name]
                for name in (key, *names.former_names(entry.renamed_from))
                if name in known.held
            ),
            None,
        )
        if own_resource is not None:
            if own_resource["id"] not in known.listed:
                problem = f"{noun} ({own_resource['id']}) no longer exists on {host}"
                text = f"{problem}; `pulumi up --refresh` creates it again"
                yield at(sources, (CUSTOMER, block, key), "warning", block, text)
            continue
        existing = _find_by_name(entry, known)
        if existing and not entry.adopt and not _is_created_by_us(preflight, host, handler, existing, entry):
            text = (
                f"{noun} exists on {host}, but this client did not create it (id {existing['id']}). Set "
                "`adopt: true` to manage it, or give another name to create a new one"
            )
            yield at(sources, (CUSTOMER, block, key), "error", block, text)


def _resources_by_key(state: State, handler: Collection) -> dict[str, Resource]:
    """Return the resources of a type in the state, by key in the settings."""
    token = tokens.of(handler.resource_type.__name__)
    existing = (
        resource for resource in resources(state) if resource["type"] == token and not resource.get("delete")
    )
    return {str(resource["urn"]).rpartition("::")[2]: resource for resource in existing}


def _find_by_name(entry: Any, known: KnownObjects) -> dict[str, Any] | None:
    """Return the tenant's object with this name, unless another entry holds it.

    `held_names` reports an object that another entry holds.
    """
    ids = {resource["id"] for resource in known.held.values()}
    identity = _identity(entry)
    for existing in known.listed.values():
        kind = existing.get("providerType", "idp") if "provider_type" in identity else None
        if (
            existing["name"] == entry.name
            and kind == identity.get("provider_type")
            and existing["id"] not in ids
        ):
            return existing
    return None


def _identity(entry: Any) -> dict[str, Any]:
    identity: dict[str, Any] = {"name": entry.name}
    with suppress(AttributeError):
        identity["provider_type"] = entry.provider_type
    return identity


def _status(preflight: Preflight, host: str, tenant_id: str) -> str:
    """Return the status of a tenant: "active", "disabled", or "gone" if it no longer exists."""

    def request() -> dict[str, Any]:
        return tenant.HANDLER.read(preflight.cloud, host, {"tenant_id": tenant_id}) or {}

    return str(preflight.once(("tenant", host), request).get("status"))


def _objects_by_id(preflight: Preflight, host: str, path: str) -> dict[str, dict[str, Any]]:
    """Return a collection of a tenant, by id."""

    def request() -> dict[str, dict[str, Any]]:
        return {item["id"]: item for item in preflight.cloud.tenant(host).list(path)}

    return preflight.once(("list", host, path), request)


def _is_created_by_us(
    preflight: Preflight, host: str, handler: Collection, existing: dict[str, Any], entry: Any
) -> bool:
    return handler.is_ours(preflight.cloud.tenant(host), existing, _identity(entry))
