"""Canaries: each is red when Pulumi changes something that `tenantry.pulumi_internals` relies on."""

from __future__ import annotations


def changed(module: str, then: str) -> str:
    """Return what a red canary says: which module to look at, and what to do there."""
    return (
        f"Pulumi no longer does what tenantry/pulumi_internals/{module}.py relies on. Its docstring says "
        f"what that means for users. {then} Until then keep `pulumi` in pyproject.toml below this version."
    )
