"""Dynamic providers for Qlik Cloud: one module per kind of resource.

The names below are what a Pulumi program uses. They are imported on first use, because every `pulumi` run
pays for what this package imports.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from providers.adapter import Provider
    from providers.app import App as App
    from providers.app_publication import AppPublication as AppPublication
    from providers.group import Group as Group
    from providers.group_settings import GroupSettings as GroupSettings
    from providers.jwt_identity_provider import JwtIdentityProvider as JwtIdentityProvider
    from providers.license_settings import LicenseSettings as LicenseSettings
    from providers.resource import Resource
    from providers.space import Space as Space
    from providers.space_assignment import SpaceAssignment as SpaceAssignment
    from providers.tenant import Tenant as Tenant
    from providers.tenant_activation import TenantActivation as TenantActivation
    from providers.tenant_admin import TenantAdmin as TenantAdmin
    from providers.tenant_lifecycle import TenantLifecycle as TenantLifecycle
    from providers.tenant_proof import TenantProof as TenantProof
    from providers.user import User as User
    from providers.web_integration import WebIntegration as WebIntegration

MODULES = {
    "TenantProof": "tenant_proof",
    "Tenant": "tenant",
    "TenantLifecycle": "tenant_lifecycle",
    "TenantActivation": "tenant_activation",
    "User": "user",
    "TenantAdmin": "tenant_admin",
    "Group": "group",
    "Space": "space",
    "SpaceAssignment": "space_assignment",
    "App": "app",
    "AppPublication": "app_publication",
    "GroupSettings": "group_settings",
    "LicenseSettings": "license_settings",
    "WebIntegration": "web_integration",
    "JwtIdentityProvider": "jwt_identity_provider",
}
"""Each kind of resource and its module, whose name is in every stack's state: never change it."""

__all__ = [*MODULES, "kinds", "load"]


def load(module: str) -> Provider:
    """Return the provider of the kind that lives in `module`.

    The state of every resource names this function and its argument (see
    `providers.resource.provider_string`): its import path and the names it takes are fixed.
    """
    from providers.adapter import Provider

    return Provider(module)


def kinds() -> dict[str, type[Resource]]:
    """Return every kind of resource by its name, as in `pulumi-python:dynamic/qlik:NAME`."""
    return {name: __getattr__(name) for name in MODULES}


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return getattr(importlib.import_module(f"{__name__}.{MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
