"""Redirects and Location headers. Only reads follow them, and only on the same host.

Qlik responds to `GET /users/me` with 301 and to `GET /tenants/me` with 302. A token must never reach another
host.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from tenantry.providers.qlik import responses
from tenantry.providers.qlik.messages import Request, Response

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
LOCATION = re.compile(r"[!-~]{1,4000}")


def follow(send: Callable[[Request], Response], request: Request) -> Response:
    """Send `request`, follow redirects, and return the final response.

    Raises UnexpectedResponse if a redirect leads to another host, if the request is not a GET, or if the
    redirects do not end.
    """
    for _ in range(MAX_REDIRECTS + 1):
        response = send(request)
        if response.ok:
            return response
        if response.status not in REDIRECTS or request.method != "GET":
            raise responses.unexpected(request, response, "with a redirect, which only a GET may follow")
        request = replace(request, path=location(request, response), params={})
    raise responses.unexpected(request, response, f"more than {MAX_REDIRECTS} redirects")


def location(request: Request, response: Response) -> str:
    """Return the path and query of the Location header.

    Raises UnexpectedResponse if it is not on this host.
    """
    text = response.headers.get("Location", "")
    if not LOCATION.fullmatch(text):
        raise responses.unexpected(
            request, response, "with a Location that is not a URL" if text else "without a Location"
        )
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        raise responses.unexpected(request, response, "with a Location that is not a URL") from None
    if not parts.path.startswith("/") or parts.path.startswith("//"):
        raise responses.unexpected(request, response, "with a relative Location")
    if host not in (None, request.host):
        raise responses.unexpected(
            request, response, f"with a Location on another host ({host[:100]}), which must not get the token"
        )
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
