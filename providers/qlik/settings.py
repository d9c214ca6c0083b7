"""Settings from the environment that are no secrets: the endpoint override and the times."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tenantry.providers.qlik.errors import ConfigurationError, EndpointRefused

ENDPOINT = "QLIK_CLOUD_ENDPOINT"
REQUEST_TIMEOUT = "TENANTRY_REQUEST_TIMEOUT"
DEADLINE = "TENANTRY_DEADLINE"


@dataclass(frozen=True)
class Settings:
    """How requests are sent.

    `endpoint`: base URL (loopback only) that stands in for every Qlik host, None for Qlik itself.
    `request_timeout`: seconds without a byte before one request is given up.
    `deadline`: seconds for one call with its waits and repetitions, where no `deadline()` is set.
    """

    endpoint: str | None = None
    request_timeout: float = 60.0
    deadline: float = 600.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read QLIK_CLOUD_ENDPOINT, TENANTRY_REQUEST_TIMEOUT and TENANTRY_DEADLINE.

        Raises EndpointRefused or ConfigurationError for values that are not usable.
        """
        return cls(
            endpoint=loopback(environ[ENDPOINT]) if environ.get(ENDPOINT) else None,
            request_timeout=_seconds(environ, REQUEST_TIMEOUT, cls.request_timeout),
            deadline=_seconds(environ, DEADLINE, cls.deadline),
        )


def loopback(url: str) -> str:
    """Return `url` without a trailing slash; raise EndpointRefused unless it is http to loopback."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(url, "that is not a URL") from None
    if parts.scheme != "http" or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise _refused(url, "it must look like http://127.0.0.1:8080")
    if not _is_loopback(host):
        raise _refused(url, "it is not a loopback address, and client secrets are sent there")
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}" if port else f"http://{host}"


def _refused(url: str, why: str) -> EndpointRefused:
    shown = url.rpartition("@")[2]  # never a password that stands before the host
    return EndpointRefused(
        f"{ENDPOINT}={shown} is refused: {why}. Unset it to reach Qlik Cloud, or name a local emulator."
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ConfigurationError(f"{name} must be a number of seconds above 0, not {text!r}.")
    return value
