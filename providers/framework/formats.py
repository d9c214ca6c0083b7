"""The format of the states that this version writes, and the refusal of newer ones.

The format is part of the string that every resource's state has as `__provider`: a call of
`tenantry.provider("space")` is format 1, one of `tenantry.provider("space", 2)` will be format 2. So each
resource tells its own format to whatever reads it, also where a run was killed between two resources, and a
state of format 1 has nothing more in it than before there were formats.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import cache

from tenantry.pulumi_internals.provider_strings import called_by

FORMAT = 1
"""Raised only when an older version must not touch what this one writes. docs/upgrading.md has the rules."""


def format_of(provider: object) -> int:
    """Return the format that a `__provider` string tells; 1 for what tells none."""
    return _read_format(provider) if isinstance(provider, str) else 1


def refusal(found: int) -> str:
    """Return what to say of a state of a newer format; nothing for one that this version knows."""
    if found <= FORMAT:
        return ""
    from importlib.metadata import version

    return (
        f"This state was written by a newer Tenantry: it has format {found}, and Tenantry "
        f"{version('tenantry')} knows formats up to {FORMAT}. Nothing was sent to Qlik and nothing was "
        "changed. Upgrade Tenantry here to the version that the others use."
    )


def is_ours(provider: object) -> bool:
    """Tell whether a `__provider` string does nothing but call `tenantry.provider`. It is not unpickled."""
    called = called_by(provider)
    return called is not None and called[:2] == ("tenantry", "provider")


FOREIGN = (
    "the state names a provider that is none of Tenantry's (`__provider`): the engine would run the code "
    "that it names, with all credentials. Nothing was run for it. Find out who has written the state, and "
    "put back an earlier one with `pulumi stack import`."
)


def unknown_type(module: str) -> str:
    """Return what to say of a resource that only another version can read or delete."""
    from importlib.metadata import version

    return (
        f"Tenantry {version('tenantry')} does not know what the state has here ({module}): a newer one made "
        "it. Nothing was sent to Qlik for it. Upgrade Tenantry here to the version that the others use; to "
        "stay with this one, let the newer one remove it first."
    )


def newest(providers: Iterable[object]) -> int:
    """Return the highest format among `__provider` strings."""
    return max(map(format_of, providers), default=1)


@cache
def _read_format(provider: str) -> int:
    import pickletools  # read, and not carried out: the string may name what is not there any more

    try:
        read = list(pickletools.genops(base64.b64decode(provider, validate=True)))
    except ValueError:
        return 1
    numbers = [int(value or 0) for opcode, value, _ in read if opcode.name.startswith("BININT")]
    return numbers[-1] if numbers else 1
