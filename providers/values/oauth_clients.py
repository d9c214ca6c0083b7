"""What an OAuth client of each kind may have.

Unverified, as Qlik publishes no rule: that a redirect URI may be http for this machine alone, and that native
applications may have a scheme of their own. RFC 8252 recommends both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from tenantry.providers.values.limits import Limits

IMPERSONATION = "urn:qlik:oauth:user-impersonation"
GRANTS = ("client_credentials", IMPERSONATION)
LONGEST = 256
PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s*#]+$"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WITHOUT_HOST = ("javascript", "data", "file", "vbscript", "blob")


def redirect_problem(uri: str, *, native: bool = False) -> str | None:
    """Return what is wrong with a redirect URI; None if it is one. A `native` client may have a scheme of its
    own.
    """
    if len(uri) > LONGEST:
        return f'"{uri[:40]}…" has {len(uri)} characters; a redirect URI has {LONGEST} at most'
    if "*" in uri or "#" in uri or re.search(r"\s", uri):
        return f'"{uri}" has a wildcard, a fragment or a blank in it, which no redirect URI can have'
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f'"{uri}" is not an address; for example https://portal.example.com/callback'
    if parts.scheme in ("http", "https"):
        if not host or "@" in parts.netloc:
            return f'"{uri}" is not an address; for example https://portal.example.com/callback'
        if parts.scheme == "http" and host not in LOOPBACK:
            return f'"{uri}" is not https; http is for localhost alone'
        return None
    if native and re.match(PATTERN, uri) and parts.scheme not in _WITHOUT_HOST:
        return None
    return f'"{uri}" is not an address with https; for example https://portal.example.com/callback'


REDIRECT_URIS = Limits("5 addresses at most, https or of localhost", {"max_length": 5})


def property_problems(app_type: str, grants: Sequence[str], origins: Sequence[str]) -> dict[str, str]:
    """Return the properties that a client of this kind of application cannot have, and why."""
    problems = {}
    if grants and app_type != "web":
        problems["allowed_grant_types"] = (
            f"only a web client can have grant types, and this one is {app_type}"
        )
    if origins and not (app_type == "spa" or (app_type == "web" and IMPERSONATION in grants)):
        problems["allowed_origins"] = (
            f"only a spa client, or a web client with the grant type {IMPERSONATION}, can have origins, "
            f"and this one is {app_type}"
        )
    return problems
