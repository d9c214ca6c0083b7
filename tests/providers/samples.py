"""Example inputs of every resource type, with a valid value for each property."""

from __future__ import annotations

import importlib
from typing import Any

from tenantry.providers import MODULES
from tenantry.providers.values.pem import one_line
from tests.keys import public_pem

TENANT = "x1y2z3.eu.qlikcloud.com"


def from_test_modules(name: str) -> dict[str, Any]:
    """Return the constant of that name in the test module of each resource type that has it, by type."""
    test_modules = {
        resource_type: importlib.import_module(f"tests.providers.test_{module}")
        for resource_type, module in MODULES.items()
    }
    return {
        resource_type: getattr(test_module, name)
        for resource_type, test_module in test_modules.items()
        if hasattr(test_module, name)
    }


SAMPLES: dict[str, dict[str, Any]] = from_test_modules("SAMPLE") | {
    "TenantProof": {
        "region": "eu",
        "source_tenant": "templates.eu.qlikcloud.com",
        "name": "Globex",
        "revives": True,
        "ends_on": "2999-12-31",
    },
    "TenantActivation": {"tenant": TENANT, "tenant_id": "t1", "ends_on": "2999-12-31"},
    "Tenant": {
        "region": "eu",
        "source_tenant": "templates.eu.qlikcloud.com",
        "name": "Globex",
        "alias": "globex.eu.qlikcloud.com",
        "datacenter": "eu-west-1",
        "auto_assign_create_shared_spaces_role_to_professionals": False,
        "auto_assign_private_analytics_content_creator_role_to_professionals": True,
        "auto_assign_data_services_contributor_role_to_professionals": False,
        "enable_app_opening_feedback": True,
        "status": "active",
        "grace_days": 20,
        "revive": {"hostname": TENANT, "tenant_id": "t1"},
        "proof": {"id": "p1", "name": "Globex", "unused": True},
    },
    "TenantLifecycle": {
        "tenant": TENANT,
        "tenant_id": "t1",
        "kind": "trial",
        "ends_on": "2999-12-31",
        "grace_days": 20,
        "release_entitlements": True,
    },
    "User": {
        "tenant": TENANT,
        "subject": "auth0|ada",
        "name": "Ada Admin",
        "email": "ada@example.com",
        "roles": ["AnalyticsAdmin", "Developer"],
        "status": "disabled",
    },
    "TenantAdmin": {
        "tenant": TENANT,
        "source_tenant": "templates.eu.qlikcloud.com",
        "email": "ada@example.com",
        "role": "TenantAdmin",
        "status": "active",
    },
    "Group": {
        "tenant": TENANT,
        "name": "Analysts",
        "provider_type": "custom",
        "description": "Who builds",
        "roles": ["AnalyticsAdmin", "Developer"],
        "adopt": True,
    },
    "Space": {
        "tenant": TENANT,
        "name": "Sales",
        "type": "managed",
        "description": "Daily",
        "owner": "u1",
        "adopt": True,
    },
    "SpaceAssignment": {
        "tenant": TENANT,
        "space": "s1",
        "assignee": "g1",
        "type": "user",
        "roles": ["consumer", "contributor"],
        "adopt": True,
    },
    "App": {
        "tenant": TENANT,
        "space": "s1",
        "name": "Sales Overview",
        "description": "Revenue",
        "source_tenant": "templates.eu.qlikcloud.com",
        "template": "Sales Overview",
        "version": "2.3.0",
        "data": False,
        "replace": {"{{CUSTOMER}}": "globex"},
        "script_digest": "0123456789abcdef",
        "join_template_space": True,
        "adopt": True,
    },
    "AppPublication": {
        "tenant": TENANT,
        "source_app": "a1",
        "space": "s2",
        "name": "Sales Overview",
        "description": "{v2.3.0}",
        "data": "target",
        "loaded": "r1",
        "adopt": True,
    },
    "AppReload": {
        "tenant": TENANT,
        "app": "a1",
        "variables": {"vCustomer": "globex"},
        "version": 2,
        "minutes": 20,
    },
    "GroupSettings": {
        "tenant": TENANT,
        "auto_create_groups": True,
        "sync_idp_groups": False,
        "everyone_roles": ["Developer", "Steward"],
    },
    "LicenseSettings": {
        "tenant": TENANT,
        "auto_assign_professional": False,
        "auto_assign_analyzer": True,
    },
    "WebIntegration": {
        "tenant": TENANT,
        "name": "Portal",
        "valid_origins": ["http://localhost:3000", "https://portal.example"],
        "adopt": True,
    },
    "JwtIdentityProvider": {
        "tenant": TENANT,
        "issuer": "https://oem.example",
        "kid": "one",
        "pem": one_line(public_pem()),
        "description": "Portal",
        "clock_tolerance_seconds": 30,
        "adopt": True,
    },
}
