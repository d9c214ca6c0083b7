"""The format of the states that this version writes, and the refusal of newer ones.

The format is part of the `__provider` string in every resource's state: `tenantry.provider("space")` is
format 1, `tenantry.provider("space", 2)` is format 2. So each resource states its own format, even if a run
was killed between two resources. A state of format 1 needs no additional data.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import cache

from tenantry.pulumi_internals.provider_strings import called_by

FORMAT = 1
"""The format that this version writes.

It increases only if older versions must not change such a state. The rules are in docs/upgrading.md.
"""


def format_of(provider: object) -> int:
    """Return the format in a `__provider` string, 1 if it has none."""
    return _read_format(provider) if isinstance(provider, str) else 1


def refusal(format: int) -> str:
    """Return the error message for a state of a newer format. Empty if this version knows the format."""
    if format <= FORMAT:
        return ""
    from importlib.metadata import version

    return (
        f"This state was written by a newer Tenantry: it has format {format}, and Tenantry "
        f"{version('tenantry')} knows formats up to {FORMAT}. Nothing was sent to Qlik and nothing was "
        "changed. Upgrade Tenantry here to the version that wrote the state."
    )


def is_ours(provider: object) -> bool:
    """Tell whether a `__provider` string only calls `tenantry.provider`. The string is not unpickled."""
    called = called_by(provider)
    return called is not None and called[:2] == ("tenantry", "provider")


FOREIGN = (
    "the state names a provider that does not belong to Tenantry (`__provider`). The engine would run its "
    "code with all credentials. This code was not run. 1. Find out who wrote the state. 2. Restore an "
    "earlier state with `pulumi stack import`."
)


def unknown_type(module: str) -> str:
    """Return the error message for a resource that only another version can read or delete."""
    from importlib.metadata import version

    return (
        f"Tenantry {version('tenantry')} does not know this resource type ({module}) in the state: a newer "
        "version created the resource. Nothing was sent to Qlik for it. Upgrade Tenantry here to that "
        "version. To keep this version, first delete the resource with the newer one."
    )


def newest(providers: Iterable[object]) -> int:
    """Return the highest format among `__provider` strings."""
    return max(map(format_of, providers), default=1)


@cache
def _read_format(provider: str) -> int:
    import pickletools  # it reads the string without running it

    try:
        operations = list(pickletools.genops(base64.b64decode(provider, validate=True)))
    except ValueError:
        return 1
    numbers = [int(value or 0) for opcode, value, _ in operations if opcode.name.startswith("BININT")]
    return numbers[-1] if numbers else 1
