"""A provider process that the engine attaches to instead of starting one.

Relies on: the engine attaches to what `PULUMI_DEBUG_PROVIDERS=<name>:<port>` names. `pulumi.dynamic.__main__`
serves and prints its port as the first line when it is run. It registers its servicer with
`provider_pb2_grpc.add_ResourceProviderServicer_to_server`, looked up in that module, and all that the
servicer lacks is an answer to `Attach`.

Seen to hold: SDK 3.272.0, CLI 3.259.0.

When it breaks: a preview fails, and is run once more with a provider of its own. Previews of many stacks then
cost twice; `TENANTRY_COLD` turns the attempt off.
"""

from __future__ import annotations

import runpy
from typing import Any


def attached_to(port: str) -> dict[str, str]:
    """Return the environment in which `pulumi` attaches to the process that serves at that port."""
    return {"PULUMI_DEBUG_PROVIDERS": f"pulumi-python:{port}"}


def serve() -> None:
    """Serve for as long as this process lives; the port is the first line on standard output."""
    from google.protobuf.empty_pb2 import Empty
    from pulumi.runtime.proto import provider_pb2_grpc

    add = provider_pb2_grpc.add_ResourceProviderServicer_to_server

    def add_with_attach(servicer: Any, server: Any) -> None:
        servicer.Attach = lambda _request, _context: Empty()
        add(servicer, server)

    provider_pb2_grpc.add_ResourceProviderServicer_to_server = add_with_attach
    runpy.run_module("pulumi.dynamic.__main__", run_name="__main__")
