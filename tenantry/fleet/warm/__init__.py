"""Processes that are kept from one stack to the next, as starting them is most of what a preview costs.

`providers` keeps provider processes that the engine attaches to. `forks` keeps a process that has imported
what a program imports, and forks a child of it for each call.
"""

from __future__ import annotations


def close() -> None:
    """End all of them; those that are needed again are started again."""
    from tenantry.fleet.warm import forks, providers

    providers.close()
    forks.close()
