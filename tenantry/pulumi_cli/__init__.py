"""The Pulumi CLI for a virtual environment: found, fetched or built.

`tenantry install-pulumi` runs it, and in a checkout `make setup`, before any package is installed: nothing
here needs more than Python's standard library. Only `language_host` runs later, and needs Pulumi's SDK.
"""
