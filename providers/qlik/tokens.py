"""Access tokens (`POST /oauth/token`, OAuth API). A token is valid only on the host that issued it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tenantry.providers.qlik import hostnames, responses
from tenantry.providers.qlik.credentials import Credentials, CredentialSource
from tenantry.providers.qlik.deadlines import Clock, Deadline
from tenantry.providers.qlik.messages import Request, Response

DEFAULT_LIFETIME_SECONDS = 3600.0
"""The lifetime of a token if the response does not say: the shortest one in Qlik's guides."""

RENEW_EARLY = 60.0
"""How many seconds before its end a token is renewed."""

TOKEN = re.compile(r"[!-~]{1,16000}")
"""Matches a token that is safe in a header. With any other character, the HTTP library raises an error that
shows the token.
"""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `renew_at` is a time on the monotonic clock, in seconds."""

    value: str
    renew_at: float

    def __repr__(self) -> str:
        return "Token([secure])"


class TokenCache:
    """A thread-safe cache that fetches missing tokens, at most one per host at a time."""

    def __init__(
        self, credentials: CredentialSource, send: Callable[[Request], Response], clock: Clock
    ) -> None:
        self._credentials = credentials
        self._send = send
        self._clock = clock
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, threading.Lock] = {}

    def __repr__(self) -> str:
        return "TokenCache([secure])"

    def get(self, host: str, deadline: Deadline) -> Token:
        """Return a valid token for `host`, from the cache or a new one.

        Raises CredentialsMissing, TenantDisabled, Unauthorized and other QlikErrors.
        """
        lock = self._locks.setdefault(host, threading.Lock())
        with deadline.turn(lock, f"the access token for {host}, which another thread is fetching"):
            token = self._tokens.get(host)
            if token is None or token.renew_at <= self._clock.monotonic():
                token = self._tokens[host] = self._fetch(host)
            return token

    def drop(self, host: str, token: Token) -> None:
        """Forget a token that was refused, unless another thread has replaced it already."""
        if self._tokens.get(host) is token:
            self._tokens.pop(host, None)

    def _fetch(self, host: str) -> Token:
        client = self._client(host)
        request = Request(
            "POST",
            host,
            "/oauth/token",
            body={
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                "grant_type": "client_credentials",
            },
            repeatable=True,
            client_source=client.source,
        )
        requested_at = self._clock.monotonic()
        response = self._send(request)
        try:
            value = response.json["access_token"]
        except (ValueError, TypeError, KeyError):
            value = None
        if not isinstance(value, str) or not TOKEN.fullmatch(value):
            raise responses.unexpected(request, response, "without a usable access token")
        lifetime = self._lifetime(response)
        return Token(value, requested_at + lifetime - min(RENEW_EARLY, lifetime / 10))

    def _client(self, host: str) -> Credentials:
        region = hostnames.region(host)
        return self._credentials.region(region) if region else self._credentials.organisation()

    def _lifetime(self, response: Response) -> float:
        """Return the lifetime in seconds, from `expires_in` or `expires_at`, whichever is shorter.

        `expires_at` is compared with the response's own date, so that a wrong local clock does no harm.
        """
        sent = responses.http_date(response.headers.get("Date", ""))
        until = _timestamp(response.json.get("expires_at"))
        lifetimes = [_seconds(response.json.get("expires_in"))]
        if until is not None:
            lifetimes.append(until - (self._clock.time() if sent is None else sent))
        return min(
            (seconds for seconds in lifetimes if seconds and seconds > 0), default=DEFAULT_LIFETIME_SECONDS
        )


def _seconds(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _timestamp(value: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):  # too close to year 1 or year 9999
        return None
