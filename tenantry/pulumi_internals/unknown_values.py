"""Values that are known only after `up`.

Relies on: check and diff of a provider get an instance of `pulumi.output.Unknown` for each, at any depth;
the event log and `pulumi preview --json` show each as one fixed string.

Seen to hold: SDK 3.272.0, CLI 3.259.0.

When it breaks: check refuses the references of a new customer, or they show as that string in reports and
imports.
"""

from __future__ import annotations

from typing import Any

PLACEHOLDER = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine shows in place of such a value."""


def is_unknown(value: Any) -> bool:
    """Tell whether a value that a provider was given is not known yet; what it holds is not looked at."""
    from pulumi.output import Unknown

    return isinstance(value, Unknown)
