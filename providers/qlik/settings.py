"""The settings from the environment that are not secret: the endpoint, times and rates."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tenantry.providers.qlik.errors import ConfigurationError, EndpointRefused
from tenantry.providers.qlik.limits import WINDOW

ENDPOINT = "QLIK_CLOUD_ENDPOINT"
REQUEST_TIMEOUT = "TENANTRY_REQUEST_TIMEOUT"
DEADLINE = "TENANTRY_DEADLINE"
RATE_SHARE = "TENANTRY_RATE_SHARE"
RATE_WINDOW = "TENANTRY_RATE_WINDOW"
RATES_AT = "TENANTRY_RATES_AT"
"""The address that provides turns. The worker of a cluster sets it for its runs."""


@dataclass(frozen=True)
class Settings:
    """Settings for requests.

    `endpoint`: the base URL (loopback only) that replaces every Qlik host. None for Qlik itself.
    `request_timeout`: the seconds without a byte after which a request fails.
    `deadline`: the seconds for a call with its waits and retries, if no `deadline()` is set.
    `rate_share`: the part of Qlik's rate limits that all processes of this machine may use together. 0 turns
    sharing off. The default is half, the limit of a tenant with a single user.
    `rate_window`: the seconds over which requests are counted. An emulator may have another window than Qlik.
    `rates_at`: the address that provides turns in a cluster, so that its machines share the limits.
    """

    endpoint: str | None = None
    request_timeout: float = 60.0
    deadline: float = 600.0
    rate_share: float = 0.5
    rate_window: float = WINDOW
    rates_at: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read QLIK_CLOUD_ENDPOINT and the variables of this project.

        An emulator usually has one client, so processes share its limits only if TENANTRY_RATE_SHARE is set.
        Only an emulator may have another window. Raises EndpointRefused or ConfigurationError for unusable
        values.
        """
        endpoint = loopback(environ[ENDPOINT]) if environ.get(ENDPOINT) else None
        return cls(
            endpoint=endpoint,
            rate_share=_share(environ, 0.0 if endpoint else cls.rate_share),
            rate_window=seconds(environ, RATE_WINDOW, WINDOW) if endpoint else WINDOW,
            rates_at=environ.get(RATES_AT, ""),
            request_timeout=seconds(environ, REQUEST_TIMEOUT, cls.request_timeout),
            deadline=seconds(environ, DEADLINE, cls.deadline),
        )


def loopback(url: str) -> str:
    """Return `url` without a trailing slash. Raises EndpointRefused unless it is an http loopback address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(url, "it is not a URL") from None
    if parts.scheme != "http" or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise _refused(url, "it must look like http://127.0.0.1:8080")
    if not _is_loopback(host):
        raise _refused(url, "it is not a loopback address, so it must not receive client secrets")
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}" if port else f"http://{host}"


def _refused(url: str, reason: str) -> EndpointRefused:
    without_password = url.rpartition("@")[2]
    return EndpointRefused(
        f"{ENDPOINT}={without_password} is refused: {reason}. Unset it to reach Qlik Cloud, or name a local"
        " emulator."
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def seconds(environ: Mapping[str, str], name: str, default: float, *, or_none: bool = False) -> float:
    """Return the seconds in a variable. `or_none` allows 0.

    Raises ConfigurationError, which names the variable.
    """
    text = environ.get(name, "")
    if not text:
        return default
    value = _number(text)
    if not (math.isfinite(value) and (value > 0 or (or_none and value == 0))):
        minimum = "of at least 0" if or_none else "above 0"
        raise ConfigurationError(f"{name} must be a number of seconds {minimum}, such as 180, not {text!r}.")
    return value


def _number(text: str) -> float:
    """Return the number in a text, or NaN if there is none. NaN is outside every range."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _share(environ: Mapping[str, str], default: float) -> float:
    text = environ.get(RATE_SHARE, "")
    if not text:
        return default
    value = _number(text)
    if not 0 <= value <= 1:
        raise ConfigurationError(f"{RATE_SHARE}={text} is not a number from 0 to 1, such as 0.5.")
    return value
