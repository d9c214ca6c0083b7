"""Early start of the provider process, while the program still loads its modules.

Relies on: the engine starts the process of a package when a program first uses the package, even for an
invoke of a function. It starts the process before it checks the dependencies of the call, and it refuses a
dependency that is not a URN with an error that only the caller gets. The SDK's `get_monitor()` is the
engine's service, or None outside a program.

Verified with: SDK 3.272.0, CLI 3.259.0.

When it breaks: the engine starts the process with the first resource, and a run takes a little longer.
"""

from __future__ import annotations

from typing import Any

from tenantry.pulumi_internals.dynamic_resources import TYPES

_NOT_A_URN = "none"


def start() -> None:
    """Make the engine start the provider process, without waiting. Does nothing outside a program."""
    from pulumi.runtime import settings
    from pulumi.runtime.proto import resource_pb2

    invoke: Any = getattr(settings.get_monitor(), "Invoke", None)
    if hasattr(invoke, "future"):  # false for the monitor of a test
        invoke.future(resource_pb2.ResourceInvokeRequest(tok=f"{TYPES}:start", dependsOn=[_NOT_A_URN]))
