"""Customers for the tests: their stack files, and the expected content of the emulator."""

from __future__ import annotations

import copy
from typing import Any

from tenantry.settings.models import BLOCKS
from tests.keys import public_pem
from tests.logins import ISSUER
from tests.providers.samples import from_test_modules

REGION = "eu"
SOURCE_TENANT = "templates.eu.qlikcloud.com"

Customer = dict[str, Any]

TRIAL = {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10}

GLOBEX: Customer = {
    "name": "Globex",
    "alias": "globex",
    "lifecycle": TRIAL,
    "groups": {
        "Analysts": {"roles": ["AnalyticsAdmin"]},
        "Partners": {"provider_type": "custom", "description": "Resellers"},
    },
    "spaces": {
        "Staging": {"type": "shared", "description": "Imported templates"},
        "Sales": {"type": "managed", "access": {"Analysts": ["consumer", "contributor"]}},
    },
    "apps": {
        "Sales Overview": {
            "template": "Sales Overview",
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
        },
    },
}
"""A trial with groups, spaces, access and a published app."""

REPLACEABLE = (
    "Space Sales",
    "Group Analysts",
    "SpaceAssignment Analysts in Sales",
    "App Sales Overview",
    "AppPublication Sales Overview in Sales",
    "TenantLifecycle lifecycle",
    "TenantActivation activation",
)
"""One resource of each type that `GLOBEX` uses, except the tenant and its proof."""


def everything() -> Customer:
    """Return a trial that uses every resource type."""
    examples = from_test_modules("EXAMPLE")
    example_blocks = [
        (name, examples[block.mapping.resource])
        for name, block in BLOCKS.items()
        if block.mapping and block.mapping.resource in examples
    ]
    return with_changes(
        GLOBEX,
        ("group_settings", {"auto_create_groups": True, "everyone_roles": ["Developer"]}),
        ("license_settings", {"auto_assign_professional": False, "auto_assign_analyzer": True}),
        ("web_integrations", {"Portal": {"origins": ["https://portal.example"]}}),
        ("jwt_identity_providers", {"portal": {"issuer": ISSUER, "kid": "key-1", "pem": public_pem()}}),
        ("users", {"Grace": {"subject": "auth0|grace", "email": "grace@globex.example"}}),
        ("admins", {"Support": {"email": "ada@example.com"}}),
        ("spaces/Data", {"type": "data", "user_access": {"Grace": ["operator"]}}),
        ("spaces/Sales/owner", "Support"),
        ("apps/Sales Overview/replace", {"'template'": "'globex'"}),
        ("apps/Sales Overview/reload", {"variables": {"vCustomer": "globex"}}),
        *example_blocks,
    )


def settings(customer: Customer) -> dict[str, Any]:
    """Return the arguments of `Stack.write` for a customer."""
    return {"region": REGION, "source_tenant": SOURCE_TENANT, "customer": customer}


def with_changes(customer: Customer, *changes: tuple[str, Any]) -> Customer:
    """Return a copy of a customer with new values at some paths ("spaces/Sales/type")."""
    result = copy.deepcopy(customer)
    for path, value in changes:
        *blocks, key = path.split("/")
        inner = result
        for block in blocks:
            inner = inner.setdefault(block, {})
        inner[key] = value
    return result
