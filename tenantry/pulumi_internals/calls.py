"""The current call of the engine to a provider: its request, and the gRPC context for the response.

Relies on: the SDK's handler in `pulumi.dynamic.__main__` has them as the local variables `request` and
`context` of a frame below the provider's method. A request has the resource's `urn`, and the engine's
`resource_status_address`, which differs in each run.

Verified with: SDK 3.272.0, CLI 3.259.0.

When it breaks: no call is found. Errors have a traceback, an incomplete object is not recorded but found
again by its natural key, and the stack and the run are unknown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Call(NamedTuple):
    """The current remote call."""

    request: Any
    context: Any

    @property
    def urn(self) -> str:
        """The URN of the resource of this call; empty if the call has none."""
        return str(getattr(self.request, "urn", ""))

    @property
    def run(self) -> str:
        """An address that is unique for this run of the engine; empty if it is unknown."""
        return str(getattr(self.request, "resource_status_address", ""))


def current_call() -> Call | None:
    """Return the call of the engine that runs in this thread."""
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
    """Call a function of a provider as if the engine called it for a resource."""
    from pulumi.runtime.proto import provider_pb2

    request, context = provider_pb2.CheckRequest(urn=urn), _NoCaller()  # noqa: F841 (found in this frame)
    return function()


class _NoCaller:
    """A context without a caller."""

    def set_trailing_metadata(self, _metadata: object) -> None:
        """Ignore the metadata."""
