"""The strings from which the SDK's provider process creates providers: any pickle, so any code in a state.

Relies on: the process runs `pulumi.dynamic.__main__` as its main module. Each of its handlers calls that
module's `get_provider`, which creates a provider from the property `__provider` in its first argument. A
pickle of protocol 4 that calls a function with a text, and a number from 0 to 255, has the bytes of `_CALL`.

Verified with: SDK 3.272.0, CPython 3.11.

When it breaks: the provider process refuses no string. The commands of `tenantry` still do, before they start
the engine.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Callable
from typing import Any

from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY

_CALL = re.compile(
    r"\x80\x04\x95.{8}\x8c(?P<n1>.)(?P<module>\w+)\x94\x8c(?P<n2>.)(?P<function>\w+)\x94\x93\x94"
    r"\x8c(?P<n3>.)(?P<text>\w+)\x94(?:\x85|K.\x86)\x94R\x94\.",
    re.DOTALL | re.ASCII,
)


def called_by(provider: object) -> tuple[str, str, str] | None:
    """Return module, function and text of the only call that unpickling a `__provider` string makes.

    Returns None for a string that does anything else. Does not unpickle the string.
    """
    try:
        found = _CALL.fullmatch(base64.b64decode(str(provider), validate=True).decode("latin-1"))
    except ValueError:
        return None
    parts = (("n1", "module"), ("n2", "function"), ("n3", "text"))
    if found is None or any(ord(found[length]) != len(found[part]) for length, part in parts):
        return None
    return found["module"], found["function"], found["text"]


def guard(refuse: Callable[[object], None]) -> None:
    """Make this process call `refuse` with each string before it creates a provider from it.

    Does nothing outside the SDK's provider process.
    """
    process: Any = sys.modules["__main__"]
    make = getattr(process, "get_provider", None)
    if make is None or not hasattr(process, "DynamicResourceProviderServicer"):
        return

    def guarded(props: dict[str, Any], *more: Any) -> Any:
        refuse(props.get(PROVIDER_KEY))
        return make(props, *more)

    process.get_provider = guarded
