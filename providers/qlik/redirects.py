"""Redirects and Location headers. Only reads follow them, and only on the same host.

`GET /users/me` answers 301 and `GET /tenants/me` 302; a token must never reach another host.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from tenantry.providers.qlik import answers
from tenantry.providers.qlik.messages import Answer, Request

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
LOCATION = re.compile(r"[!-~]{1,4000}")


def follow(send: Callable[[Request], Answer], request: Request) -> Answer:
    """Send `request`, follow redirects, and return the final response.

    Raises UnexpectedAnswer for a redirect to another host, of a request other than GET, or without end.
    """
    for _ in range(MAX_REDIRECTS + 1):
        answer = send(request)
        if answer.ok:
            return answer
        if answer.status not in REDIRECTS or request.method != "GET":
            raise answers.unexpected(request, answer, "with a redirect, which only a GET may follow")
        request = replace(request, path=location(request, answer), params={})
    raise answers.unexpected(request, answer, f"more than {MAX_REDIRECTS} redirects")


def location(request: Request, answer: Answer) -> str:
    """Return the path and query of the Location header. Raises UnexpectedAnswer if it is not on this host."""
    text = answer.headers.get("Location", "")
    if not LOCATION.fullmatch(text):
        raise answers.unexpected(
            request, answer, "with a Location that is not a URL" if text else "without a Location"
        )
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        raise answers.unexpected(request, answer, "with a Location that is not a URL") from None
    if not parts.path.startswith("/") or parts.path.startswith("//"):
        raise answers.unexpected(request, answer, "with a relative Location")
    if host not in (None, request.host):
        raise answers.unexpected(
            request, answer, f"with a Location on another host ({host[:100]}), which must not get the token"
        )
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
