"""Canary tests. One fails if Pulumi changes something that `tenantry.pulumi_internals` relies on."""

from __future__ import annotations


def changed(module: str, next_step: str) -> str:
    """Return the message of a failing canary: the module to check, and the next step there."""
    return (
        f"Pulumi no longer does what tenantry/pulumi_internals/{module}.py relies on. Its docstring says "
        f"what that means for users. {next_step} Until then, keep `pulumi` in pyproject.toml below it."
    )
