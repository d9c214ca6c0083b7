"""What a cluster refuses."""

from __future__ import annotations

from tenantry.errors import TenantryError


class ClusterUnusable(TenantryError):
    """The cluster cannot be used at all; nothing was done. The message is one line."""


class BundleRefused(TenantryError):
    """A bundle cannot be made, or is not what it should be; the message is one line."""
