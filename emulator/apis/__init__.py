"""What each of Qlik's APIs does, one module per kind of object."""

from __future__ import annotations

from . import (
    apps,
    assignments,
    groups,
    items,
    licenses,
    oauth,
    organization,
    publishing,
    roles,
    spaces,
    temp_contents,
    tenants,
    transfer,
    users,
)

__all__ = [
    "apps",
    "assignments",
    "groups",
    "items",
    "licenses",
    "oauth",
    "organization",
    "publishing",
    "roles",
    "spaces",
    "temp_contents",
    "tenants",
    "transfer",
    "users",
]
