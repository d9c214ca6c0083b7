"""Checks that a login service responds, before Qlik sends users to it.

Sources: OpenID Connect Discovery 1.0, sections 3 and 4; RFC 7517, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenantry.providers.framework.errors import LoginServiceUnusable
from tenantry.providers.qlik import Cloud, ConnectionFailed
from tenantry.providers.qlik.messages import Response
from tenantry.providers.values import saml_metadata, urls

ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


def check_discovery(cloud: Cloud, url: str) -> None:
    """GET the discovery document of an OpenID Connect provider, and its keys, and check both.

    Raises LoginServiceUnusable.
    """
    document = _json(url, _fetch(cloud, url))
    for name in ENDPOINTS:
        value = document.get(name)
        if not isinstance(value, str) or urls.problem(value):
            raise LoginServiceUnusable(url, f"the discovery document has no https address as {name}")
    keys_url = document["jwks_uri"]
    if not isinstance(keys := _json(keys_url, _fetch(cloud, keys_url)).get("keys"), list) or not keys:
        raise LoginServiceUnusable(keys_url, "there are no keys")


def check_sign_on(cloud: Cloud, url: str, certificates: Sequence[str]) -> None:
    """GET the sign-on address of a SAML provider, and check that one of its certificates is valid.

    Any status below 500 passes, because the address expects a SAML request. Raises LoginServiceUnusable.
    """
    try:
        ends = max(saml_metadata.certificate_expiry(certificate) for certificate in certificates)
    except ValueError as error:
        raise LoginServiceUnusable(url, f"the provider {error}") from None
    if ends.timestamp() <= cloud.clock.time():
        raise LoginServiceUnusable(url, f"its last certificate ended on {ends:%Y-%m-%d}")
    response = _fetch(cloud, url)
    if response.status >= 500:
        raise LoginServiceUnusable(url, f"it answered {response.status}")


def _fetch(cloud: Cloud, url: str) -> Response:
    try:
        return cloud.fetch(url)
    except ConnectionFailed as error:
        raise LoginServiceUnusable(url, error.reason) from None


def _json(url: str, response: Response) -> dict[str, Any]:
    """Return the JSON object of a response."""
    if 300 <= response.status < 400:
        target = response.headers.get("Location", "")[:200]
        raise LoginServiceUnusable(url, f"it redirects to {target!r}; give the address it redirects to")
    if response.status != 200:
        raise LoginServiceUnusable(url, f"it answered {response.status}")
    try:
        value = response.json
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise LoginServiceUnusable(url, "it did not answer with a JSON object")
    return value
