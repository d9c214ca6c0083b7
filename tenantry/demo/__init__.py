"""`tenantry demo`: a customer's tenant in a local Qlik Cloud, which ends with the demo.

`files/` has the customer and the plans. `environment` isolates Pulumi from the files of the user.
"""
