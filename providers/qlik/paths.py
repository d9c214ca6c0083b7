"""A check of request paths. An id from a stack file or a state must not turn a path into another one.

`tenantry.providers.qlik.shapes` checks the ids in Qlik's responses.
"""

from __future__ import annotations

import re

from tenantry.providers.qlik.errors import ConfigurationError
from tenantry.providers.qlik.messages import Request

_ODD = re.compile(r"/(?:\.{0,2}(?:/|$))|[#\\\x00-\x1f\x7f]")


def check(request: Request) -> None:
    """Raise ConfigurationError if an id changes the meaning of the path."""
    path = request.path.partition("?")[0]
    if path != "/" and _ODD.search(path):
        raise ConfigurationError(
            f"{request.method} {request.host}{path!r} was not sent, because an id in this path is invalid. "
            "Correct it in the stack file or in the state of the stack."
        )
