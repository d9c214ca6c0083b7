"""The state of a stack with one space, and the registrations of its program."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from tenantry.providers.framework.resource import provider_string
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tenantry.pulumi_internals.program_runs import Registration

ROOT = "urn:pulumi:acme::tenantry"
STACK = f"{ROOT}::pulumi:pulumi:Stack::tenantry-acme"
COMPONENT = f"{ROOT}::qlik:index:QlikCustomerTenant::acme"
PROVIDER = f"{ROOT}::pulumi:providers:pulumi-python::default"
KIND = "pulumi-python:dynamic/qlik:Space"
SPACE = f"{ROOT}::qlik:index:QlikCustomerTenant${KIND}::Sales"
SALT = "v1:abc:v1:def:ghi"
CONFIG = {"qlik:region": "eu", "tenantry:customer": '{"lifecycle":{"grace_days":10},"name":"Acme"}'}
INPUTS = {
    PROVIDER_KEY: provider_string("space"),
    "name": "Sales",
    "tenant": "acme.eu.qlikcloud.com",
    "type": "managed",
    "description": "",
}
OUTPUTS = {"hostname": "acme.eu.qlikcloud.com"}


def state() -> dict[str, Any]:
    """Return a new state, which a test may change."""
    stack = {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack", "outputs": dict(OUTPUTS)}
    component = {
        "urn": COMPONENT,
        "custom": False,
        "type": "qlik:index:QlikCustomerTenant",
        "outputs": dict(OUTPUTS),
        "parent": STACK,
    }
    provider = {
        "urn": PROVIDER,
        "custom": True,
        "id": "p1",
        "type": "pulumi:providers:pulumi-python",
        "inputs": dict(CONFIG),
        "outputs": dict(CONFIG),
    }
    space = {
        "urn": SPACE,
        "custom": True,
        "id": "s1",
        "type": KIND,
        "inputs": dict(INPUTS),
        "outputs": {**INPUTS, "owner": "u1"},
        "parent": COMPONENT,
        "provider": f"{PROVIDER}::p1",
        "propertyDependencies": {name: [] for name in INPUTS},
    }
    version = "v3.259.0"
    magic = hashlib.sha256(version.encode()).hexdigest()
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": "2026-11-28T00:00:00Z", "magic": magic, "version": version},
            "secrets_providers": {"type": "passphrase", "state": {"salt": SALT}},
            "resources": [stack, component, provider, space],
            "metadata": {},
        },
    }


def registrations(**space: Any) -> Iterator[Registration]:
    """Yield the registrations of the program. `space` replaces values of the space."""
    defaults: dict[str, Any] = {
        "protect": False,
        "deleted_with": "",
        "dependencies": frozenset(),
        "property_dependencies": {},
        "inputs": {},
        "others": (),
    }
    yield Registration(
        **{**defaults, "type": "pulumi:pulumi:Stack", "name": "tenantry-acme", "parent": "", "custom": False}
    )
    yield Registration(
        **{
            **defaults,
            "type": "qlik:index:QlikCustomerTenant",
            "name": "acme",
            "parent": STACK,
            "custom": False,
        }
    )
    yield Registration(
        **{
            **defaults,
            "type": KIND,
            "name": "Sales",
            "parent": COMPONENT,
            "custom": True,
            "inputs": dict(INPUTS),
            "property_dependencies": {name: frozenset() for name in INPUTS},
            **space,
        }
    )
