"""A provider process that serves one preview after another: `python -um tenantry.fleet.warm_provider` in a
project.

Starting one takes a third of what a preview costs. The engine attaches to a provider that runs already where
`PULUMI_DEBUG_PROVIDERS` names its port; all that the SDK's own process lacks for that is the answer to
`Attach`. It ends with its standard input, so with the process that started it.

For previews alone: they send no request to Qlik, so nothing has to end with the engine.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from typing import Any

from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2_grpc


def main() -> None:
    """Serve until standard input ends; the port is the first line on standard output."""
    add = provider_pb2_grpc.add_ResourceProviderServicer_to_server

    def add_with_attach(servicer: Any, server: Any) -> None:
        servicer.Attach = lambda _request, _context: Empty()
        add(servicer, server)

    provider_pb2_grpc.add_ResourceProviderServicer_to_server = add_with_attach
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.argv = sys.argv[:1]
    runpy.run_module("pulumi.dynamic.__main__", run_name="__main__")


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
