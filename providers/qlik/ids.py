"""Ids become parts of paths, at Qlik and on this disk: what would lead elsewhere there is no id."""

from __future__ import annotations

import re
from typing import Any

from tenantry.providers.qlik.errors import ConfigurationError
from tenantry.providers.qlik.messages import Request

_ODD = re.compile(r"[/?#%\\\x00-\x1f\x7f]|\.\.")
_ODD_STEP = re.compile(r"/(?:\.{0,2}(?:/|$))|[#\\\x00-\x1f\x7f]")
_KEYS = ("id", "spaceId", "ownerId")


def odd(value: Any) -> str | None:
    """Return an id in Qlik's JSON that is none; None if all are.

    Of items only apps count: the `resourceId` of other kinds may be an address.
    """
    if isinstance(value, list):
        return next((found for each in value if (found := odd(each))), None)
    if not isinstance(value, dict):
        return None
    keys = (*_KEYS, "resourceId") if value.get("resourceType") == "app" else _KEYS
    ids = (value[key] for key in keys if isinstance(value.get(key), str))
    found = next((each for each in ids if _ODD.search(each) or each == "."), None)
    return found or next((inner for each in value.values() if (inner := odd(each))), None)


def check(request: Request) -> None:
    """Raise ConfigurationError for a path that does not lead where it seems to."""
    path = request.path.partition("?")[0]
    if path != "/" and _ODD_STEP.search(path):
        raise ConfigurationError(
            f"{request.method} {request.host}{path!r}: not sent, as an id in this path is none. Look for it "
            "in the stack file, or in the state of the stack."
        )
