"""What a path may hold: ids of files and states are parts of it, and none may lead elsewhere at Qlik.

Ids of Qlik's answers are held against `tenantry.providers.qlik.shapes` before.
"""

from __future__ import annotations

import re

from tenantry.providers.qlik.errors import ConfigurationError
from tenantry.providers.qlik.messages import Request

_ODD = re.compile(r"/(?:\.{0,2}(?:/|$))|[#\\\x00-\x1f\x7f]")


def check(request: Request) -> None:
    """Raise ConfigurationError for a path that does not lead where it seems to."""
    path = request.path.partition("?")[0]
    if path != "/" and _ODD.search(path):
        raise ConfigurationError(
            f"{request.method} {request.host}{path!r}: not sent, as an id in this path is none. Look for it "
            "in the stack file, or in the state of the stack."
        )
