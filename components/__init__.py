"""Components: what a customer is made of."""

from components.customer_tenant import QlikCustomerTenant

__all__ = ["QlikCustomerTenant"]
