"""The function that the state of every resource names. It returns the provider of the resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.garbage import paused_collection

if TYPE_CHECKING:
    from tenantry.providers.framework.adapter import Provider


def provider(module: str, format: int = 1) -> Provider:
    """Return the provider of the resource type in `tenantry.providers.<module>`.

    States name this function as `tenantry.provider`, with its arguments: see `resource.provider_string`.
    Neither may change. `format` is the format of the state. A provider of a newer format refuses every call
    (see `formats`). The adapter is imported only here, because a program never needs it.
    """
    with paused_collection():
        from tenantry.providers.framework.adapter import Provider

    return Provider(module, format)


provider.__module__ = "tenantry"
