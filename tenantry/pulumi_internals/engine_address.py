"""The address of the engine that started this provider process.

Relies on: the engine passes its address, `host:port`, as the last argument of the process, and listens there
until it ends.

Verified with: SDK 3.272.0, CLI 3.259.0.

When it breaks: a provider outlives a killed engine, and sends requests whose results are not recorded.
"""

from __future__ import annotations

import sys


def engine_address() -> tuple[str, int] | None:
    """Return host and port of the engine; None if the engine did not start this process."""
    host, _, port = sys.argv[-1].rpartition(":")
    return (host, int(port)) if host and port.isdigit() else None
