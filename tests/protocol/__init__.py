"""A search through every state of the protocol that prevents duplicate, mistaken and lost tenants.

`model` lists the invariants. `python -m tests.protocol --help` explains how to search further.
"""
