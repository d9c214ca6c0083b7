"""Removal of the program's stack traces from the state. They are paths of one machine, and most of its size.

Relies on: the SDK registers a resource with the result of `pulumi.runtime.resource._get_stack_trace()`, which
it looks up in its module each time. It has no option for this.

Verified with: SDK 3.272.0.

When it breaks: the state has the traces again, with no other effect.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi.runtime.proto.source_pb2 import StackTrace

NAME = "_get_stack_trace"


@contextmanager
def no_stack_trace() -> Iterator[None]:
    """Register the resources in this block without a stack trace."""
    sdk = sys.modules["pulumi.runtime.resource"]
    trace = getattr(sdk, NAME, None)
    if trace is None:
        yield
        return
    setattr(sdk, NAME, StackTrace)
    try:
        yield
    finally:
        setattr(sdk, NAME, trace)
