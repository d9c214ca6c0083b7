"""Qlik Cloud: the hosts of one run, with shared connections, tokens and limits."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from tenantry.providers.qlik import folders, hostnames
from tenantry.providers.qlik.calls import Calls
from tenantry.providers.qlik.credentials import CredentialSource
from tenantry.providers.qlik.deadlines import SYSTEM_CLOCK, Clock, Deadline, deadline
from tenantry.providers.qlik.governor import Governor, RateGovernor
from tenantry.providers.qlik.host import Host
from tenantry.providers.qlik.messages import Request, Response
from tenantry.providers.qlik.settings import Settings
from tenantry.providers.qlik.transport import Transport

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter


class Cloud:
    """Qlik Cloud with the OAuth clients of an environment. Thread-safe.

    `environ` has the credentials and settings. It is read when needed, so the constructor never fails.
    `notify` gets a line for the user when a request must wait. You can replace it at any time.
    `clock` and `adapter` are for tests: see `tenantry.providers.qlik.testing`.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        notify: Callable[[str], None] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self.notify: Callable[[str], None] = notify or (lambda _: None)
        self.clock = clock
        self._environ = environ
        self._credentials = CredentialSource(environ)
        self._adapter = adapter
        self._lock = threading.Lock()
        self._opened: Calls | None = None

    @classmethod
    def from_environment(cls) -> Cloud:
        """Return Qlik Cloud with the credentials and settings of this process."""
        return cls(os.environ)

    def __repr__(self) -> str:
        return "Cloud(credentials=[secure])"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def tenant(self, hostname: str) -> Host:
        """Return a tenant by hostname ("x1y2.eu.qlikcloud.com"). Raises HostRefused if it is not Qlik's."""
        return Host(self, hostnames.checked(hostname))

    def register(self, region: str) -> Host:
        """Return the host of a region ("eu") that creates, deactivates and reactivates tenants."""
        return Host(self, hostnames.checked(f"register.{region}.qlikcloud.com"))

    def organisation(self) -> Host:
        """Return the host that lists all tenants of all subscriptions, for the organisation's client."""
        return Host(self, hostnames.ORGANISATION)

    @property
    def has_organisation(self) -> bool:
        """True if an organisation client is configured. Sends nothing. Raises ConfigurationError."""
        return self._credentials.has_organisation

    def send(self, request: Request) -> Response:
        """Send a request of a Host. Raises QlikError."""
        return self._calls.send(request)

    def fetch(self, url: str) -> Response:
        """Return the response of an https address outside Qlik Cloud, such as an identity provider.

        The response may have at most 1 MB and must arrive within 10 seconds. No token is sent, and no
        redirect is followed. With `QLIK_CLOUD_ENDPOINT`, the request goes there like all others. Raises
        ConnectionFailed.
        """
        parts = urlsplit(url)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        return self._calls.fetch(Request("GET", parts.netloc, path, max_bytes=1 << 20))

    def authenticate(self, hostname: str) -> None:
        """Get a token for a host, unless there is a valid one. Raises QlikError."""
        self._calls.authenticate(hostname)

    def time_at(self, hostname: str) -> float | None:
        """Return the time of a host's last response in seconds since 1970. None if it had no date.

        The time comes from Qlik's clock, because this machine's clock may be wrong.
        """
        return self._calls.time_at(hostname)

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Wait. Raises DeadlineExceeded, which names `waiting_for`, if the pause would reach the deadline."""
        with self._calls.default_deadline() as deadline:
            deadline.pause(seconds, waiting_for)

    def deadline(self, seconds: float, *, setting: str = "") -> AbstractContextManager[Deadline]:
        """Return a context with a deadline by this Cloud's clock, see `tenantry.providers.qlik.deadline`."""
        return deadline(seconds, clock=self.clock, setting=setting)

    def default_deadline(self, extra_seconds: float = 0.0) -> AbstractContextManager[Deadline]:
        """Return a context with the deadline of the settings plus the extra time, unless one is set."""
        return self._calls.default_deadline(extra_seconds)

    def close(self) -> None:
        """Close the open connections. The next request opens new ones."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    @property
    def _calls(self) -> Calls:
        """The sender, which the first request creates, so that nothing fails before it.

        Raises ConfigurationError.
        """
        with self._lock:
            if self._opened is None:
                settings = Settings.from_environment(self._environ)
                transport = Transport(settings, self._adapter)
                self._opened = Calls(
                    transport,
                    self._credentials,
                    self.clock,
                    settings.deadline,
                    lambda line: self.notify(line),
                    self._governor(settings),
                )
            return self._opened

    def _governor(self, settings: Settings) -> RateGovernor | None:
        if not settings.rate_share or self._adapter is not None:
            return None
        own = Governor(folders.state() / "rates", settings.rate_share, self.clock, settings.rate_window)
        if not settings.rates_at:
            return own
        from tenantry.providers.qlik.cluster_governor import ClusterGovernor

        return ClusterGovernor(settings, own, self.clock)
