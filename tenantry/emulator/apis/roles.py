"""The built-in roles, and the assignment of built-in and custom roles."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from tenantry.emulator.errors import Refusal
from tenantry.emulator.store import Doc, Store

BUILT_IN = {
    "TenantAdmin": "admin",
    "AnalyticsAdmin": "admin",
    "DataAdmin": "admin",
    "AuditAdmin": "admin",
    "Developer": "user",
    "Steward": "user",
    "SharedSpaceCreator": "user",
    "ManagedSpaceCreator": "user",
    "DataSpaceCreator": "user",
    "PrivateAnalyticsContentCreator": "user",
    "DataServicesContributor": "user",
    "AutomationCreator": "user",
    "AutomlExperimentContributor": "user",
    "AutomlDeploymentContributor": "user",
    "CollaborationPlatformUser": "user",
    "EmbeddedAnalyticsUser": "user",
    "UserDefault": "user",
}
"""Name -> level, as in the Roles API and the access-control guides."""


@cache
def built_in() -> dict[str, Doc]:
    """Return name -> role. The ids are the same on every tenant."""
    return {
        name: {
            "id": hashlib.sha256(name.encode()).hexdigest()[:24],
            "name": name,
            "type": "default",
            "level": level,
        }
        for name, level in BUILT_IN.items()
    }


def assigned(store: Store, tenant_id: str, references: list[dict[str, Any]]) -> list[Doc]:
    """Return the value of `assignedRoles` for the references `[{"name"|"id": ...}, ...]`.

    Raises:
        Refusal: 400 if the tenant does not have a role. Names are case-sensitive.
    """
    custom = store.all(tenant_id, "role")
    roles = {role["id"]: role for role in (*built_in().values(), *custom)}
    by_name = {role["name"]: role for role in roles.values()}
    found: dict[str, Doc] = {}
    for index, reference in enumerate(references):
        role = roles.get(reference.get("id", "")) or by_name.get(reference.get("name", ""))
        if role is None:
            detail = "there is no such role. Names are case-sensitive"
            raise Refusal(400, detail=detail, source={"pointer": f"/assignedRoles/{index}"})
        found[role["id"]] = {key: role[key] for key in ("id", "name", "type", "level")}
    return list(found.values())
