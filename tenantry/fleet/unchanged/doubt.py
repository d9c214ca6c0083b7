"""Why a stack is left to the engine."""

from __future__ import annotations

from tenantry.errors import TenantryError


class Doubt(TenantryError):
    """The engine may find something to do or to say; the message is what may be so."""


def must(holds: object, what: str) -> None:
    """Raise Doubt about `what` unless something holds."""
    if not holds:
        raise Doubt(what)
