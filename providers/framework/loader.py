"""What the state of every resource names: the function that makes its provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.garbage import paused_collection

if TYPE_CHECKING:
    from tenantry.providers.framework.adapter import Provider


def provider(module: str, format: int = 1) -> Provider:
    """Return the provider of the resource type that lives in `tenantry.providers.<module>`.

    States name this function, as `tenantry.provider`, and its arguments: see `resource.provider_string`.
    Neither may change. `format` is that of the state, see `formats`: a provider of a newer one refuses every
    call. The adapter is imported when it is called, which a program never does.
    """
    with paused_collection():
        from tenantry.providers.framework.adapter import Provider

    return Provider(module, format)


provider.__module__ = "tenantry"
