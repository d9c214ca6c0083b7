"""The other stacks of a backend. At most one stack can manage a tenant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

from tenantry.importing.tenant_reader import REQUESTS_AT_ONCE
from tenantry.providers.values import tokens
from tenantry.pulumi_internals.deployment import resources
from tenantry.state.backend import Backend, NoSuchStack

TENANT = tokens.of("Tenant")


def names(backend: Backend) -> list[str]:
    """Return the names of the project's stacks in the backend."""
    return [stack["name"] for stack in json.loads(backend.run("stack", "ls", "--json"))]


def manager_of(backend: Backend, hostname: str, stacks: list[str]) -> str | None:
    """Return the stack whose state contains the tenant, or None."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        found = pool.map(_manages, repeat(backend), stacks, repeat(hostname))
        return next((name for name, there in zip(stacks, found, strict=True) if there), None)


def _manages(backend: Backend, stack: str, hostname: str) -> bool:
    return hostname in _tenants(backend, stack)


def _tenants(backend: Backend, stack: str) -> Iterator[str]:
    try:
        there = resources(backend.state(stack))
    except NoSuchStack:
        return
    yield from (item["id"] for item in there if item["type"] == TENANT and not item.get("delete"))
