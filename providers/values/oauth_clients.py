"""Limits and checks of OAuth clients, by application type.

Qlik publishes no rule for two checks, so they are unverified: a redirect URI may use http only for localhost,
and a native application may use its own scheme. RFC 8252 recommends both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from tenantry.providers.values.limits import Limits

IMPERSONATION = "urn:qlik:oauth:user-impersonation"
GRANTS = ("client_credentials", IMPERSONATION)
MAX_URI_CHARACTERS = 256
PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s*#]+$"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WITHOUT_HOST = ("javascript", "data", "file", "vbscript", "blob")


def redirect_problem(uri: str, *, native: bool = False) -> str | None:
    """Return what is wrong with a redirect URI, None if it is valid.

    A `native` client may have its own scheme.
    """
    if len(uri) > MAX_URI_CHARACTERS:
        return f'"{uri[:40]}…" has {len(uri)} characters; a redirect URI has at most {MAX_URI_CHARACTERS}'
    if "*" in uri or "#" in uri or re.search(r"\s", uri):
        return f'"{uri}" contains a wildcard, fragment or blank, which a redirect URI cannot have'
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f'"{uri}" is not an address; for example https://portal.example.com/callback'
    if parts.scheme in ("http", "https"):
        if not host or "@" in parts.netloc:
            return f'"{uri}" is not an address; for example https://portal.example.com/callback'
        if parts.scheme == "http" and host not in LOOPBACK:
            return f'"{uri}" is not https; http is allowed for localhost only'
        return None
    if native and re.match(PATTERN, uri) and parts.scheme not in _WITHOUT_HOST:
        return None
    return f'"{uri}" is not an address with https; for example https://portal.example.com/callback'


REDIRECT_URIS = Limits("5 addresses at most, https or of localhost", {"max_length": 5})


def property_problems(app_type: str, grants: Sequence[str], origins: Sequence[str]) -> dict[str, str]:
    """Return the reasons, by property, why a client of this application type cannot have the values."""
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
