"""A search through every state of the protocol that prevents duplicate, mistaken and lost tenants.

`model` lists the promises. `python -m tests.protocol --help` shows how to search further than the tests.
"""
