"""Where the engine that started this provider process listens.

Relies on: the engine gives its address, `host:port`, as the last argument of the process, and listens there
as long as it lives.

Seen to hold: SDK 3.272.0, CLI 3.259.0.

When it breaks: a provider outlives a killed engine, and finishes requests of which nothing is recorded.
"""

from __future__ import annotations

import sys


def engine_address() -> tuple[str, int] | None:
    """Return host and port of the engine, None where this is no provider process that it started."""
    host, _, port = sys.argv[-1].rpartition(":")
    return (host, int(port)) if host and port.isdigit() else None
