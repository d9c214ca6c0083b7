"""Dynamic providers for Qlik Cloud: one module per resource type.

A Pulumi program uses the names below. Each module is imported on first use, because every import slows down
each `pulumi` run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if __name__ != "tenantry.providers":
    raise ImportError(
        f"{__file__} was imported as {__name__!r}. Import it as `tenantry.providers`: under two names "
        "its modules would exist twice in one process."
    )

if TYPE_CHECKING:
    from tenantry.providers.app import App as App
    from tenantry.providers.app_publication import AppPublication as AppPublication
    from tenantry.providers.app_reload import AppReload as AppReload
    from tenantry.providers.automation import Automation as Automation
    from tenantry.providers.brand import Brand as Brand
    from tenantry.providers.csp_origin import CspOrigin as CspOrigin
    from tenantry.providers.data_connection import DataConnection as DataConnection
    from tenantry.providers.data_file import DataFile as DataFile
    from tenantry.providers.extension import Extension as Extension
    from tenantry.providers.framework.resource import Resource
    from tenantry.providers.group import Group as Group
    from tenantry.providers.group_settings import GroupSettings as GroupSettings
    from tenantry.providers.jwt_identity_provider import JwtIdentityProvider as JwtIdentityProvider
    from tenantry.providers.license_settings import LicenseSettings as LicenseSettings
    from tenantry.providers.oauth_client import OAuthClient as OAuthClient
    from tenantry.providers.oidc_identity_provider import OidcIdentityProvider as OidcIdentityProvider
    from tenantry.providers.pinned_link import PinnedLink as PinnedLink
    from tenantry.providers.reload_task import ReloadTask as ReloadTask
    from tenantry.providers.saml_identity_provider import SamlIdentityProvider as SamlIdentityProvider
    from tenantry.providers.space import Space as Space
    from tenantry.providers.space_assignment import SpaceAssignment as SpaceAssignment
    from tenantry.providers.tenant import Tenant as Tenant
    from tenantry.providers.tenant_activation import TenantActivation as TenantActivation
    from tenantry.providers.tenant_admin import TenantAdmin as TenantAdmin
    from tenantry.providers.tenant_lifecycle import TenantLifecycle as TenantLifecycle
    from tenantry.providers.tenant_proof import TenantProof as TenantProof
    from tenantry.providers.theme import Theme as Theme
    from tenantry.providers.user import User as User
    from tenantry.providers.web_integration import WebIntegration as WebIntegration
    from tenantry.providers.webhook import Webhook as Webhook

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
    "AppReload": "app_reload",
    "DataConnection": "data_connection",
    "DataFile": "data_file",
    "GroupSettings": "group_settings",
    "LicenseSettings": "license_settings",
    "Theme": "theme",
    "Extension": "extension",
    "Brand": "brand",
    "WebIntegration": "web_integration",
    "Webhook": "webhook",
    "OidcIdentityProvider": "oidc_identity_provider",
    "SamlIdentityProvider": "saml_identity_provider",
    "JwtIdentityProvider": "jwt_identity_provider",
    "CspOrigin": "csp_origin",
    "ReloadTask": "reload_task",
    "Automation": "automation",
    "PinnedLink": "pinned_link",
    "OAuthClient": "oauth_client",
}
"""Each resource type and its module. The state of every stack contains the module name: never change it."""

__all__ = [*MODULES, "resource_types", "handler_of"]


def resource_types() -> dict[str, type[Resource]]:
    """Return all resource types by name, as in `pulumi-python:dynamic/qlik:NAME`."""
    return {name: __getattr__(name) for name in MODULES}


def handler_of(kind: str) -> Any:
    """Return the CRUD handler of the resource type with this name."""
    return importlib.import_module(f"{__name__}.{MODULES[kind]}").HANDLER


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return getattr(importlib.import_module(f"{__name__}.{MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
