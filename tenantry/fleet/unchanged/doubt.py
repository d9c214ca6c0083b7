"""The reason why the engine must decide about a stack."""

from __future__ import annotations

from tenantry.errors import TenantryError


class Doubt(TenantryError):
    """The engine may have something to do or to print. The message is the reason."""


def require(condition: object, reason: str) -> None:
    """Raise Doubt with a reason unless the condition is true."""
    if not condition:
        raise Doubt(reason)
