"""Canary tests. One fails if Pulumi changes something that `tenantry.pulumi_internals` relies on."""

from __future__ import annotations


def changed(module: str, then: str) -> str:
    """Return the message of a failing canary: the module to check, and what to do there."""
    return (
        f"Pulumi no longer does what tenantry/pulumi_internals/{module}.py relies on. Its docstring says "
        f"what that means for users. {then} Until then keep `pulumi` in pyproject.toml below this version."
    )
