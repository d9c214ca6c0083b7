"""Is this machine ready for `pulumi up`? The software, the backend, the network and the credentials.

`tenantry.checks` looks at customers; this looks at everything that they have in common.
"""
