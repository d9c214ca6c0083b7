"""What each of Qlik's APIs does, one module per kind of object."""

from __future__ import annotations

from tenantry.emulator.apis import (
    apps,
    assignments,
    group_settings,
    groups,
    identity_providers,
    items,
    licenses,
    login,
    oauth,
    organization,
    publishing,
    role_admin,
    roles,
    spaces,
    temp_contents,
    tenants,
    transfer,
    user_patch,
    users,
    web_integrations,
)

__all__ = [
    "apps",
    "assignments",
    "group_settings",
    "groups",
    "identity_providers",
    "items",
    "licenses",
    "login",
    "oauth",
    "organization",
    "publishing",
    "role_admin",
    "roles",
    "spaces",
    "temp_contents",
    "tenants",
    "transfer",
    "user_patch",
    "users",
    "web_integrations",
]
