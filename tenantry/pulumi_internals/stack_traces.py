"""Keeping the program's stack traces out of the state: paths of one machine, and more bytes than all else.

Relies on: the SDK registers a resource with what `pulumi.runtime.resource._get_stack_trace()` returns, which
it looks up in its module each time. It has no switch for it.

Seen to hold: SDK 3.272.0.

When it breaks: the traces are back in the state, no more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi.runtime.proto.source_pb2 import StackTrace

NAME = "_get_stack_trace"


@contextmanager
def no_stack_trace() -> Iterator[None]:
    """Let no resource that is registered in here have a stack trace."""
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
