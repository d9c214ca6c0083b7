"""The Pulumi CLI for a virtual environment: found, downloaded or built.

`tenantry install-pulumi` uses it, and so does `make setup` in a checkout, before any package is installed. So
the code here needs only Python's standard library. Only `language_host` runs later, and needs Pulumi's SDK.
"""
