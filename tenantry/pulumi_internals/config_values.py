"""Whether a value of the stack's configuration is a secret.

Relies on: `pulumi.runtime.is_config_secret`. The public `pulumi.Config` has no counterpart.

Verified with: SDK 3.272.0.

When it breaks: the program does not start. Without the check, a secret customer would be in the state in
plain text.
"""

from __future__ import annotations


def is_secret(key: str) -> bool:
    """Tell whether the value of `namespace:name` is encrypted in the stack file."""
    from pulumi.runtime import is_config_secret

    return is_config_secret(key)
