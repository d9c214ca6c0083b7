"""Components: what a customer is made of."""

from __future__ import annotations

if __name__ != "tenantry.components":
    raise ImportError(
        f"{__file__} was imported as {__name__!r}. Import it as `tenantry.components`: under two names "
        "its modules would exist twice in one process."
    )

from tenantry.components.customer_tenant import QlikCustomerTenant

__all__ = ["QlikCustomerTenant"]
