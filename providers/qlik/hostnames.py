"""Hostnames of Qlik Cloud and their regions."""

from __future__ import annotations

import re

from tenantry.providers.qlik.errors import HostRefused

ORGANISATION = "console.qlikcloud.com"

REGION = r"[a-z]{2}[a-z0-9-]*"
"""A region, as a regular expression. Qlik opens new regions, so a list could not be complete."""

DOMAIN = r"(?:qlikcloud|qlikcloudgov)\.com"
"""The domains of tenants: Qlik Cloud, and Qlik Cloud Government."""

_TENANT = re.compile(rf"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.(?P<region>{REGION})\.{DOMAIN}")


def checked(hostname: str) -> str:
    """Return `hostname` in lower case. Raises HostRefused if it does not belong to Qlik Cloud.

    A token request sends the client secret to the host, so a wrong host would receive it.
    """
    name = hostname.lower()
    if name != ORGANISATION and not _TENANT.fullmatch(name):
        raise HostRefused(
            f"{hostname!r} is not a host of Qlik Cloud. Write it as <name>.<region>.qlikcloud.com, without"
            " https:// or a path."
        )
    return name


def region(hostname: str) -> str:
    """Return the region in a hostname ("eu"), an empty string for the organisation's host."""
    match = _TENANT.fullmatch(hostname)
    return match["region"] if match else ""
