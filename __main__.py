"""The program that `pulumi` runs for the stack of one customer."""

import pulumi

from components import QlikCustomerTenant
from stacks import current_settings

customer = QlikCustomerTenant(pulumi.get_stack(), current_settings())

for name, value in customer.outputs.items():
    pulumi.export(name, value)
