"""Host names of Qlik Cloud: which are Qlik's, and in which region."""

from __future__ import annotations

import re

from tenantry.providers.qlik.errors import HostRefused

ORGANISATION = "console.qlikcloud.com"

REGION = r"[a-z]{2}[a-z0-9-]*"
"""A region, as a regular expression. Qlik opens new ones, so no list of them could be complete."""

DOMAIN = r"(?:qlikcloud|qlikcloudgov)\.com"
"""Where tenants are: Qlik Cloud, and Qlik Cloud Government."""

_TENANT = re.compile(rf"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.(?P<region>{REGION})\.{DOMAIN}")


def checked(hostname: str) -> str:
    """Return `hostname` in small letters; raise HostRefused if it is none of Qlik Cloud's.

    A client secret is sent to the host for a token, so a slip here would hand it to a stranger.
    """
    name = hostname.lower()
    if name != ORGANISATION and not _TENANT.fullmatch(name):
        raise HostRefused(
            f"{hostname!r} is not a host of Qlik Cloud: it looks like <name>.<region>.qlikcloud.com,"
            " without https:// or a path."
        )
    return name


def region(hostname: str) -> str:
    """Return the region in a host name ("eu"); empty for the organisation's host, which belongs to none."""
    match = _TENANT.fullmatch(hostname)
    return match["region"] if match else ""
