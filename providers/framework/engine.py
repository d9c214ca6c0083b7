"""What a dynamic provider can do only by the back door: clean errors, partial failures, more calls at once,
an end in time.

The SDK hands a provider neither the gRPC context nor the request. Both are found in the frame of the SDK's
own handler; where a later SDK hides them, the user sees the plain error with its traceback, and a half-made
object is found again by its natural key.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from functools import cache
from types import FrameType
from typing import Any, NamedTuple
from weakref import ReferenceType

POLL_SECONDS = 0.5
AT_ONCE = 16
"""How many calls are answered at the same time: the connections that the client keeps to one host."""


class Call(NamedTuple):
    """The remote call that is being answered."""

    request: Any
    context: Any


def current_call() -> Call | None:
    """Return the call of the engine that this thread is answering."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        handler = frame.f_locals
        if hasattr(handler.get("context"), "set_trailing_metadata") and hasattr(
            handler.get("request"), "DESCRIPTOR"
        ):
            return Call(handler["request"], handler["context"])
        frame = frame.f_back
    return None


def current_urn() -> str:
    """Return the URN of the resource that the call is about, which names the stack too; else nothing."""
    call = current_call()
    return str(getattr(call.request, "urn", "")) if call else ""


def current_run() -> str:
    """Return what tells this run of the engine from every other, an address of its own; else nothing."""
    call = current_call()
    return str(getattr(call.request, "resource_status_address", "")) if call else ""


def say(text: str) -> None:
    """Show a line to the user who runs `pulumi`, while the verb goes on."""
    sys.stdout.write(f"{text}\n")  # in one piece: other verbs speak at the same time
    sys.stdout.flush()


class Failure(Exception):
    """An error whose text alone reaches the user."""


def failure(message: str) -> Failure:
    """Return the error to raise so that the user sees the message and no traceback."""
    return _failure(message, None)


def partial_failure(id: str, outs: dict[str, Any], message: str) -> Failure:
    """Return the error to raise so that the object is recorded all the same, for the next `up` to update."""
    from pulumi.runtime import rpc
    from pulumi.runtime.proto.provider_pb2 import ErrorResourceInitFailed

    properties = asyncio.run(rpc.serialize_properties(outs, {}))
    return _failure(message, ErrorResourceInitFailed(id=id, properties=properties, reasons=[message]))


def _failure(message: str, detail: Any) -> Failure:
    call = current_call()
    if call is not None:
        from google.protobuf.any_pb2 import Any as AnyMessage
        from google.rpc.status_pb2 import Status

        status = Status(code=2, message=message)
        if detail is not None:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        call.context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    return Failure(message)


@cache
def answer_more_at_once() -> None:
    """Raise the number of calls that this process answers at the same time, from the SDK's four.

    Most of a call is waiting for Qlik, and all resources of a stack share the calls. The SDK has no setting
    for it: the pool is found in the frame of the worker that runs this. Where a later one hides it, or none
    is there, the number stays.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        found = frame.f_locals.get("executor_reference")
        pool: Any = found() if isinstance(found, ReferenceType) else None
        if isinstance(getattr(pool, "_max_workers", None), int):
            pool._max_workers = max(pool._max_workers, AT_ONCE)
            return
        frame = frame.f_back


@cache
def exit_with_engine() -> None:
    """End this process soon after its engine has gone, whatever happened to the engine.

    A provider that outlived it would go on sending requests of which nothing is recorded. Does nothing
    outside of a provider process, whose last argument is the engine's address.
    """
    host, _, port = sys.argv[-1].rpartition(":")
    if host and port.isdigit():
        threading.Thread(target=_watch, args=(host, int(port)), daemon=True).start()


def _watch(host: str, port: int) -> None:
    while True:
        time.sleep(POLL_SECONDS)
        try:
            socket.create_connection((host, port), timeout=5).close()
        except ConnectionError:
            os._exit(1)
        except OSError:
            continue
