"""The reason for which a stack is left to the engine."""

from __future__ import annotations

from tenantry.errors import TenantryError


class Doubt(TenantryError):
    """The engine may have something to do or to print. The message is the reason."""


def must(holds: object, what: str) -> None:
    """Raise Doubt with the text `what` unless the condition holds."""
    if not holds:
        raise Doubt(what)
