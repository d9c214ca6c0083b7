"""The protocol that keeps tenants from being made twice, taken by mistake or lost: searched state by state.

`model` says what must hold. `python -m tests.protocol --help` says how to search further than the tests do.
"""
