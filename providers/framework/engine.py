"""What a dynamic provider can do only by the back door: clean errors, partial failures, more calls at once,
an end in time.

The SDK hands a provider neither the gRPC context nor the request. `tenantry.pulumi_internals` finds them;
where a later SDK hides them, the user sees the plain error with its traceback, and a half-made object is
found again by its natural key.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from functools import cache
from typing import Any

from tenantry.errors import TenantryError
from tenantry.providers.framework import formats
from tenantry.pulumi_internals import answers, provider_strings, workers
from tenantry.pulumi_internals.calls import current_call
from tenantry.pulumi_internals.engine_address import engine_address
from tenantry.text import for_terminal

POLL_SECONDS = 0.5
CALLS_AT_ONCE = 16
"""How many calls are answered at the same time: the connections that the client keeps to one host."""


def current_urn() -> str:
    """Return the URN of the resource that the call is about, which names the stack too; else nothing."""
    call = current_call()
    return call.urn if call else ""


def current_run() -> str:
    """Return what tells this run of the engine from every other, an address of its own; else nothing."""
    call = current_call()
    return call.run if call else ""


def say(text: str) -> None:
    """Show a line to the user who runs `pulumi`, while the call runs."""
    line = f"{for_terminal(text)}\n"
    try:
        sys.stdout.write(line)  # in one piece: other calls print at the same time
    except UnicodeEncodeError:  # a locale of eight bits
        sys.stdout.write(line.encode("ascii", "backslashreplace").decode())
    sys.stdout.flush()


class Failure(TenantryError):
    """An error whose text alone reaches the user."""


def failure(message: str) -> Failure:
    """Return the error to raise so that the user sees the message and no traceback."""
    return _failure(message, None)


def partial_failure(id: str, outs: dict[str, Any], message: str) -> Failure:
    """Return the error to raise so that the object is recorded all the same, for the next `up` to update."""
    return _failure(message, answers.unfinished(id, outs, for_terminal(message)))


def _failure(message: str, detail: Any) -> Failure:
    message = for_terminal(message)
    call = current_call()
    if call is not None:
        answers.tell(call, message, detail)
    return Failure(message)


@cache
def raise_concurrency() -> None:
    """Raise the number of calls that this process answers at the same time, from the SDK's four.

    Most of a call is waiting for Qlik, and all resources of a stack share the calls.
    """
    workers.raise_limit(CALLS_AT_ONCE)


@cache
def guard_providers() -> None:
    """Have this process refuse each `__provider` string from now on that does not name our loader."""
    provider_strings.guard(_refuse_foreign)


def _refuse_foreign(provider: object) -> None:
    if not formats.is_ours(provider):
        raise failure(formats.FOREIGN)


@cache
def exit_with_engine() -> None:
    """End this process soon after its engine has gone, whatever happened to the engine.

    A provider that outlived it would go on sending requests of which nothing is recorded. Does nothing
    outside of a provider process.
    """
    if address := engine_address():
        threading.Thread(target=_watch, args=address, daemon=True).start()


def _watch(host: str, port: int) -> None:
    while True:
        time.sleep(POLL_SECONDS)
        try:
            socket.create_connection((host, port), timeout=5).close()
        except ConnectionError:
            os._exit(1)
        except OSError:
            continue
