"""`tenantry demo`: a customer's tenant from nothing, against a local Qlik Cloud that ends with the demo.

`files/` has the customer and the plans. `environment` keeps a run of Pulumi from everything of the user's.
"""
