"""Features that Pulumi's SDK does not offer to dynamic providers.

They are: errors without a traceback, partial failures, more concurrent calls, and the end of the process
together with the engine.

The SDK passes neither the gRPC context nor the request to a provider. `tenantry.pulumi_internals` finds them.
If a later SDK hides them, the user sees the error with its traceback, and the next run finds a partly created
object by its natural key.
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
from tenantry.pulumi_internals import error_details, provider_strings, workers
from tenantry.pulumi_internals.calls import current_call
from tenantry.pulumi_internals.engine_address import engine_address
from tenantry.text import for_terminal

POLL_SECONDS = 0.5
CONCURRENT_CALLS = 16
"""The number of calls that run at the same time. The client keeps as many connections to one host."""


def current_urn() -> str:
    """Return the URN of the current call's resource, which also names the stack. Empty outside a call."""
    call = current_call()
    return call.urn if call else ""


def current_run() -> str:
    """Return the unique address of the current run of the engine. Empty outside a call."""
    call = current_call()
    return call.run if call else ""


def say(text: str) -> None:
    """Show a line to the user of `pulumi` while the call runs."""
    line = f"{for_terminal(text)}\n"
    try:
        sys.stdout.write(line)  # in one piece, because other calls print at the same time
    except UnicodeEncodeError:  # an 8-bit locale
        sys.stdout.write(line.encode("ascii", "backslashreplace").decode())
    sys.stdout.flush()


class Failure(TenantryError):
    """An error that the user sees without a traceback."""


def failure(message: str) -> Failure:
    """Return an error that shows the user the message without a traceback."""
    return _failure(message, None)


def partial_failure(id: str, outs: dict[str, Any], message: str) -> Failure:
    """Return an error with which the engine still records the object, so that the next `up` updates it."""
    return _failure(message, error_details.unfinished(id, outs, for_terminal(message)))


def _failure(message: str, detail: Any) -> Failure:
    message = for_terminal(message)
    call = current_call()
    if call is not None:
        error_details.attach(call, message, detail)
    return Failure(message)


@cache
def raise_concurrency() -> None:
    """Raise the number of concurrent calls of this process from the SDK's four.

    Calls mostly wait for Qlik, and all resources of a stack share this limit.
    """
    workers.raise_limit(CONCURRENT_CALLS)


@cache
def guard_providers() -> None:
    """Make this process refuse every `__provider` string that does not name our loader."""
    provider_strings.guard(_refuse_foreign)


def _refuse_foreign(provider: object) -> None:
    if not formats.is_ours(provider):
        raise failure(formats.FOREIGN)


@cache
def exit_with_engine() -> None:
    """End this process soon after its engine has ended for any reason.

    Otherwise the provider continues to send requests, and no state records their results. Does nothing
    outside a provider process.
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
