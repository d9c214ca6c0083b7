"""The component with all resources of a customer."""

from __future__ import annotations

if __name__ != "tenantry.components":
    raise ImportError(
        f"{__file__} was imported as {__name__!r}. Import it as `tenantry.components`: under two names "
        "its modules would exist twice in one process."
    )

from tenantry.pulumi_internals import early_provider

early_provider.start()

# This import takes as long as the start of the provider process, so they run in parallel.
from tenantry.components.customer_tenant import QlikCustomerTenant  # noqa: E402

__all__ = ["QlikCustomerTenant"]
