"""Processes that are kept from one stack to the next. Starting them is most of the cost of a preview.

`providers` keeps provider processes to which the engine attaches. `forks` keeps a process that has imported
the modules of a program, and forks a child for each call.
"""

from __future__ import annotations


def close() -> None:
    """End all kept processes. They are started again when needed."""
    from tenantry.fleet.warm import forks, providers

    providers.close()
    forks.close()
