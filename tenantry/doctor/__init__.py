"""Checks of this machine: the software, the backend, the network and the credentials.

`tenantry.checks` checks customers; this package checks what all customers share.
"""
