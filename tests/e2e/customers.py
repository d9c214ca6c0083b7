"""Customers for the tests: what a platform team would write, and what the emulator then must hold."""

from __future__ import annotations

import copy
from typing import Any

REGION = "eu"
SOURCE_TENANT = "templates.eu.qlikcloud.com"

Customer = dict[str, Any]

TRIAL = {"kind": "trial", "ends_on": "2026-12-31", "grace_days": 10}

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
"""A trial with at least one of each kind of resource."""


def settings(customer: Customer) -> dict[str, Any]:
    """The arguments of `Stack.write` for a customer."""
    return {"region": REGION, "source_tenant": SOURCE_TENANT, "customer": customer}


def changed(customer: Customer, *changes: tuple[str, Any]) -> Customer:
    """A copy of a customer in which the values at some paths ("spaces/Sales/type") are others."""
    copied = copy.deepcopy(customer)
    for path, value in changes:
        *blocks, key = path.split("/")
        inner = copied
        for block in blocks:
            inner = inner.setdefault(block, {})
        inner[key] = value
    return copied
