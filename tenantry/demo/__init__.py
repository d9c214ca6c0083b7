"""`tenantry demo`: a customer's tenant, created at a local Qlik Cloud that ends with the demo.

`files/` has the customer and the plans. `environment` isolates Pulumi from the files of the user.
"""
