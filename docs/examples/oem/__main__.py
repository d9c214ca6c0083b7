"""The program that `pulumi` runs for each customer's stack."""

import pulumi

from tenantry import QlikCustomerTenant, current_settings

customer = QlikCustomerTenant(pulumi.get_stack(), current_settings())

for name, value in customer.outputs.items():
    pulumi.export(name, value)
