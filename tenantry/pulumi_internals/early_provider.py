"""Having the engine start the provider process while the program still loads its modules.

Relies on: the engine starts the process of a package when a program first names the package, also to invoke
a function of it. It does so before it looks at what the call depends on, and refuses what is no URN there,
with an error for the caller alone. The SDK's `get_monitor()` is the engine's service, None outside of a
program.

Seen to hold: SDK 3.272.0, CLI 3.259.0.

When it breaks: the engine starts the process with the first resource, and a run takes a little longer.
"""

from __future__ import annotations

from typing import Any

from tenantry.pulumi_internals.dynamic_resources import TYPES

_NO_URN = "none"


def start() -> None:
    """Have the engine start the provider process, and return at once; do nothing outside of a program."""
    from pulumi.runtime import settings
    from pulumi.runtime.proto import resource_pb2

    invoke: Any = getattr(settings.get_monitor(), "Invoke", None)
    if hasattr(invoke, "future"):  # of a connection; the monitor of a test is none
        invoke.future(resource_pb2.ResourceInvokeRequest(tok=f"{TYPES}:start", dependsOn=[_NO_URN]))
