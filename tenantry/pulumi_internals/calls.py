"""The call of the engine that a provider is answering: its request, and the gRPC context to answer into.

Relies on: the SDK's handler in `pulumi.dynamic.__main__` has them as the local variables `request` and
`context` of a frame below the provider's method. A request has the resource's `urn`, and the engine's
`resource_status_address`, which is another one in each run.

Seen to hold: SDK 3.272.0, CLI 3.259.0.

When it breaks: no call is found. Errors come with their traceback, an object that was half made is not
recorded but found again by its natural key, and nothing is known of the stack or the run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Call(NamedTuple):
    """The remote call that is being answered."""

    request: Any
    context: Any

    @property
    def urn(self) -> str:
        """The URN of the resource that the call is about; empty if the call has none."""
        return str(getattr(self.request, "urn", ""))

    @property
    def run(self) -> str:
        """What tells this run of the engine from every other, an address of its own; empty if not told."""
        return str(getattr(self.request, "resource_status_address", ""))


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


def answering(urn: str, function: Callable[[], T]) -> T:
    """Call a function of a provider as if it answered a call of the engine about a resource."""
    from pulumi.runtime.proto import provider_pb2

    request, context = provider_pb2.CheckRequest(urn=urn), _Nobody()  # noqa: F841 (found in this frame)
    return function()


class _Nobody:
    """A context whose caller learns nothing."""

    def set_trailing_metadata(self, _metadata: object) -> None:
        """Take what would go to the engine."""
