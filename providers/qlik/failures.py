"""Reads the exceptions of the HTTP library: was anything sent, can it work at all, what to tell a person."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import IncompleteRead
from socket import gaierror

from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.errors import ConnectionFailed
from tenantry.providers.qlik.messages import Request
from tenantry.providers.qlik.settings import DEADLINE, ENDPOINT, REQUEST_TIMEOUT, Settings


def connection_failed(
    request: Request, error: Exception, settings: Settings, deadline: Deadline
) -> ConnectionFailed:
    """Return the error to raise instead of `error`, which holds the request with its token."""
    import requests
    from urllib3 import exceptions

    chain = list(_chain(error))

    def is_a(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in chain)

    tls = is_a(ssl.SSLError, exceptions.SSLError, requests.exceptions.SSLError)
    unsent = is_a(
        exceptions.NewConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.ProxyError,
        ssl.SSLCertVerificationError,
        requests.exceptions.InvalidURL,
    )
    if is_a(exceptions.ConnectTimeoutError) and not is_a(exceptions.NewConnectionError):
        reason, advice = "no connection in time", _reach(settings)
    elif is_a(exceptions.ReadTimeoutError):
        reason = "no answer in time"
        advice = f"{REQUEST_TIMEOUT} ({settings.request_timeout:g} s) or {DEADLINE} allow more."
    elif tls:
        reason = f"TLS: {_innermost(chain)}"
        advice = "A proxy with its own certificates? Name them in REQUESTS_CA_BUNDLE."
    elif is_a(IncompleteRead):
        reason, advice = "the answer broke off", ""
    else:
        reason, advice = _innermost(chain), _reach(settings) if unsent else ""
    return ConnectionFailed(request, reason, sent=not unsent, permanent=tls, advice=advice)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it wraps, outermost first: kept in `reason`, in `args` or as its cause."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inside = [
            getattr(current, "reason", None),
            *reversed(current.args),
            current.__cause__,
            current.__context__,
        ]
        current = next(
            (each for each in inside if isinstance(each, BaseException) and id(each) not in seen), None
        )


def _innermost(chain: list[BaseException]) -> str:
    """Words of the operating system or of TLS; never those of the HTTP library, which show the URL."""
    for each in reversed(chain):
        if isinstance(each, ssl.SSLCertVerificationError):
            return each.verify_message
        if isinstance(each, gaierror):
            return f"the name cannot be resolved ({each.strerror})"
        if isinstance(each, ssl.SSLError):
            return str(getattr(each, "reason", None) or "handshake failed").replace("_", " ").lower()
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
        if isinstance(each, ConnectionError):
            return "the connection was closed without an answer"
    return f"the connection failed ({type(chain[-1]).__name__})"


def _reach(settings: Settings) -> str:
    if settings.endpoint is not None:
        return f"{ENDPOINT} is {settings.endpoint}: is the emulator running there?"
    return "Check the host name, the network, and the proxy settings (HTTPS_PROXY)."
