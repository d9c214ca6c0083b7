"""The response of a failed call to the engine: a message, and an object that was created nevertheless.

Relies on: the engine takes a `google.rpc.Status` from the trailing metadata `grpc-status-details-bin` and
shows only its message. If its details contain an `ErrorResourceInitFailed`, the engine records the resource
with that id and those properties, so that the next `up` updates it, and shows the reasons in it.

Verified with: SDK 3.272.0, CLI 3.259.0.

When it breaks: users see the SDK's traceback around the message. An incomplete object is not recorded; the
next `up` requests it again, and finds it by its natural key.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tenantry.pulumi_internals.calls import Call

DETAILS = "grpc-status-details-bin"


def unfinished(id: str, outs: dict[str, Any], message: str) -> Any:
    """Return the detail with which the engine records the object `id` with these outputs."""
    from pulumi.runtime import rpc
    from pulumi.runtime.proto.provider_pb2 import ErrorResourceInitFailed

    properties = asyncio.run(rpc.serialize_properties(outs, {}))
    return ErrorResourceInitFailed(id=id, properties=properties, reasons=[message])


def attach(call: Call, message: str, detail: Any = None) -> None:
    """Send the engine the message of the failure that the caller is about to raise, and a detail if given."""
    from google.protobuf.any_pb2 import Any as AnyMessage
    from google.rpc.status_pb2 import Status

    status = Status(code=2, message=message)
    if detail is not None:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    call.context.set_trailing_metadata(((DETAILS, status.SerializeToString()),))
