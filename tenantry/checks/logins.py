"""The check that the login service of users responds, before `up` activates it."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.checks.findings import Finding, at
from tenantry.providers import handler_of
from tenantry.providers.framework.errors import LoginServiceUnusable
from tenantry.providers.qlik import Cloud
from tenantry.settings.models import Customer
from tenantry.settings.models.identity_providers import LOGIN_BLOCKS
from tenantry.settings.sources import CUSTOMER, Sources

ABOUT = "login"


def findings(customer: Customer, sources: Sources, cloud: Cloud) -> Iterator[Finding]:
    """Yield findings on whether the service of each identity provider responds.

    `up` does the same check before it activates an identity provider.
    """
    for block in LOGIN_BLOCKS:
        for key, entry in getattr(customer, block).items():
            handler = handler_of(entry.mapping.resource)
            keys = (CUSTOMER, block, key)
            try:
                handler.check_service(cloud, entry.resource_properties())
                yield Finding("ok", ABOUT, f"{entry.mapping.noun} {key} answers")
            except LoginServiceUnusable as error:
                yield at(sources, keys, "error", ABOUT, f"GET {error.url} failed: {error.reason}")
            if not customer.admins:
                text = "the tenant needs an administrator who can repair the login: add one to `admins`"
                yield at(sources, keys, "warning", ABOUT, text)
