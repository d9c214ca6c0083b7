"""Translation of the HTTP library's exceptions into ConnectionFailed, with the reason and advice."""

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
    """Return the error to raise instead of `error`, which contains the request with its token."""
    import requests
    from urllib3 import exceptions

    chain = list(_chain(error))

    def is_a(*types: type[BaseException]) -> bool:
        return any(isinstance(link, types) for link in chain)

    tls = is_a(ssl.SSLError, exceptions.SSLError, requests.exceptions.SSLError)
    unsent = is_a(
        exceptions.NewConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.ProxyError,
        ssl.SSLCertVerificationError,
        requests.exceptions.InvalidURL,
    )
    if is_a(exceptions.ConnectTimeoutError) and not is_a(exceptions.NewConnectionError):
        reason, advice = "no connection in time", _network_advice(settings)
    elif is_a(exceptions.ReadTimeoutError):
        reason = "no response in time"
        advice = (
            f"To allow more time, increase {REQUEST_TIMEOUT} ({settings.request_timeout:g} s) or {DEADLINE}."
        )
    elif tls:
        reason = f"TLS: {_innermost(chain)}"
        advice = "If a proxy uses its own certificates, set REQUESTS_CA_BUNDLE to their file."
    elif is_a(IncompleteRead):
        reason, advice = "the response was cut off", ""
    else:
        reason, advice = _innermost(chain), _network_advice(settings) if unsent else ""
    return ConnectionFailed(request, reason, sent=not unsent, permanent=tls, advice=advice)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and those in its `reason`, `args` and cause, outermost first."""
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
            (wrapped for wrapped in inside if isinstance(wrapped, BaseException) and id(wrapped) not in seen),
            None,
        )


def _innermost(chain: list[BaseException]) -> str:
    """Return the reason from the operating system or TLS. The HTTP library's own text would show the URL."""
    for error in reversed(chain):
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        if isinstance(error, gaierror):
            return f"the name cannot be resolved ({error.strerror})"
        if isinstance(error, ssl.SSLError):
            return str(getattr(error, "reason", None) or "handshake failed").replace("_", " ").lower()
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        if isinstance(error, ConnectionError):
            return "the connection was closed without a response"
    return f"the connection failed ({type(chain[-1]).__name__})"


def _network_advice(settings: Settings) -> str:
    if settings.endpoint is not None:
        return f"{ENDPOINT} is {settings.endpoint}. Check that the emulator is running there."
    return "Check the host name, the network, and the proxy settings (HTTPS_PROXY)."
