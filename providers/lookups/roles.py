"""Roles of a tenant, built-in or custom (https://qlik.dev/apis/rest/roles)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tenantry.providers.framework.errors import UnknownRole
from tenantry.providers.framework.properties import nearest
from tenantry.providers.qlik import ApiError, Forbidden, Host

TENANT_ADMIN = "TenantAdmin"


def references(names: Sequence[str]) -> list[dict[str, str]]:
    """Return the role names in the form that Qlik expects in a request."""
    return [{"name": name} for name in names]


def names_in(found: dict[str, Any]) -> list[str]:
    """Return the sorted names of the roles that a user or group in Qlik's JSON has directly."""
    return sorted(role["name"] for role in found.get("assignedRoles") or [])


@contextmanager
def explain_unknown(host: Host, names: Sequence[str] | None) -> Iterator[None]:
    """Raise UnknownRole, with the nearest names, if Qlik refuses a request in the block for an unknown role.

    The tenant's roles are listed only then.
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
    """Return the names that the tenant does not have, and all names that it has."""
    if not names:
        return [], []
    try:
        known = sorted(role["name"] for role in host.list("/api/v1/roles"))
    except Forbidden:
        return [], []
    return [name for name in names if name not in known], known
