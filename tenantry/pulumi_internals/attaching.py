"""A provider process that the engine attaches to instead of starting one.

Relies on: the engine attaches to the process in `PULUMI_DEBUG_PROVIDERS=<name>:<port>`.
`pulumi.dynamic.__main__` serves when it is run, and prints its port as the first line. It registers its
servicer with `provider_pb2_grpc.add_ResourceProviderServicer_to_server`, looked up in that module. The
servicer lacks only the method `Attach`.

Verified with: SDK 3.272.0, CLI 3.259.0.

When it breaks: a preview fails, and runs again with its own provider. Previews of many stacks then take twice
as long; `TENANTRY_COLD` turns the attempt off.
"""

from __future__ import annotations

import runpy
from typing import Any


def attached_to(port: str) -> dict[str, str]:
    """Return the environment in which `pulumi` attaches to the process at this port."""
    return {"PULUMI_DEBUG_PROVIDERS": f"pulumi-python:{port}"}


def serve() -> None:
    """Serve until this process ends. Prints the port as the first line on standard output."""
    from google.protobuf.empty_pb2 import Empty
    from pulumi.runtime.proto import provider_pb2_grpc

    add = provider_pb2_grpc.add_ResourceProviderServicer_to_server

    def add_with_attach(servicer: Any, server: Any) -> None:
        servicer.Attach = lambda _request, _context: Empty()
        add(servicer, server)

    provider_pb2_grpc.add_ResourceProviderServicer_to_server = add_with_attach
    runpy.run_module("pulumi.dynamic.__main__", run_name="__main__")
