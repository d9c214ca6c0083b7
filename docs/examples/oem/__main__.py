"""The program that `pulumi` runs for the stack of one customer."""

import pulumi

from tenantry import QlikCustomerTenant, current_settings

customer = QlikCustomerTenant(pulumi.get_stack(), current_settings())

for name, value in customer.outputs.items():
    pulumi.export(name, value)
