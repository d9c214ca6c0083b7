"""Why a tenant is not imported."""

from __future__ import annotations

from tenantry.errors import TenantryError


class ImportRefused(TenantryError):
    """The tenant cannot be imported; nothing was changed, at Qlik or here. The text says why."""
