"""The errors of an import."""

from __future__ import annotations

from tenantry.errors import TenantryError


class ImportRefused(TenantryError):
    """The tenant cannot be imported. Nothing was changed, neither at Qlik nor here. The text says why."""
