"""Values that are known only after `up`.

Relies on: check and diff of a provider receive an instance of `pulumi.output.Unknown` for each, at any depth.
The event log and `pulumi preview --json` show each as one fixed string.

Verified with: SDK 3.272.0, CLI 3.259.0.

When it breaks: check refuses the references of a new customer, or reports and imports show that string.
"""

from __future__ import annotations

from typing import Any

PLACEHOLDER = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The string that the engine shows for such a value."""


def is_unknown(value: Any) -> bool:
    """Tell whether a value from the engine is unknown. Does not check nested values."""
    from pulumi.output import Unknown

    return isinstance(value, Unknown)
