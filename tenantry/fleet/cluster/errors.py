"""The errors of a cluster."""

from __future__ import annotations

from tenantry.errors import TenantryError


class ClusterUnusable(TenantryError):
    """The cluster cannot be used, so nothing was done. The message is one line."""


class BundleRefused(TenantryError):
    """A bundle cannot be packed or unpacked. The message is one line."""
