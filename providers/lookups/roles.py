"""Roles of a tenant, built-in or its own (https://qlik.dev/apis/rest/roles)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tenantry.providers.framework.errors import UnknownRole
from tenantry.providers.framework.properties import nearest
from tenantry.providers.qlik import ApiError, Forbidden, Host

TENANT_ADMIN = "TenantAdmin"


def references(names: Sequence[str]) -> list[dict[str, str]]:
    """Return the names as Qlik's requests take them."""
    return [{"name": name} for name in names]


def names_in(found: dict[str, Any]) -> list[str]:
    """Return the names of the roles that a user or group in Qlik's JSON was given directly, sorted."""
    return sorted(role["name"] for role in found.get("assignedRoles") or [])


@contextmanager
def explained(host: Host, names: Sequence[str] | None) -> Iterator[None]:
    """Let a request in the block that Qlik refuses for a role it does not know say which one that is.

    The tenant's own list is asked for only then. Raises UnknownRole, with the nearest names.
    """
    try:
        yield
    except ApiError as refusal:
        unknown, known = _unknown(host, names or []) if refusal.status == 400 else ([], [])
        if not unknown:
            raise
        raise UnknownRole(
            host.hostname, {name: nearest(name, known) for name in unknown}, known, refusal
        ) from refusal


def _unknown(host: Host, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return those of the names that the tenant does not have, and those that it has."""
    if not names:
        return [], []
    try:
        known = sorted(role["name"] for role in host.list("/api/v1/roles"))
    except Forbidden:
        return [], []
    return [name for name in names if name not in known], known
