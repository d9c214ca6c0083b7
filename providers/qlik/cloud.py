"""Qlik Cloud: the hosts that one run talks to, over shared connections, tokens and limits."""

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
from tenantry.providers.qlik.messages import Answer, Request
from tenantry.providers.qlik.settings import Settings
from tenantry.providers.qlik.transport import Transport

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter


class Cloud:
    """Qlik Cloud as seen with the OAuth clients of an environment. Safe to use from several threads.

    `environ` holds credentials and settings; it is read when they are needed: making a Cloud never fails.
    `notify` is called with a line for the user when a request has to wait; it may be replaced at any time.
    `clock` and `adapter` are for tests, see `tenantry.providers.qlik.testing`.
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
        """Return a tenant by host name ("x1y2.eu.qlikcloud.com"); raises HostRefused if it is not Qlik's."""
        return Host(self, hostnames.checked(hostname))

    def register(self, region: str) -> Host:
        """Return the host of a region ("eu") that creates, deactivates and reactivates tenants."""
        return Host(self, hostnames.checked(f"register.{region}.qlikcloud.com"))

    def organisation(self) -> Host:
        """Return the host that lists every tenant of every subscription; needs the organisation's client."""
        return Host(self, hostnames.ORGANISATION)

    @property
    def has_organisation(self) -> bool:
        """Whether an organisation client is configured. Sends nothing; raises ConfigurationError."""
        return self._credentials.has_organisation

    def send(self, request: Request) -> Answer:
        """Send a request that a Host put together; raises QlikError."""
        return self._calls.send(request)

    def fetch(self, url: str) -> Answer:
        """Return what an https address outside Qlik Cloud answers, such as that of an identity provider.

        At most 1 MB within 10 seconds; no token is sent, and no redirect followed. With
        `QLIK_CLOUD_ENDPOINT` the request goes there, like all others. Raises ConnectionFailed.
        """
        parts = urlsplit(url)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        return self._calls.fetch(Request("GET", parts.netloc, path, max_bytes=1 << 20))

    def authenticate(self, hostname: str) -> None:
        """Have a token for a host, unless there is one that lasts; raises QlikError."""
        self._calls.authenticate(hostname)

    def time_at(self, hostname: str) -> float | None:
        """Return a host's own time in its last answer, as seconds since 1970; None if it said none.

        Qlik's clock and not this machine's, which may be off.
        """
        return self._calls.time_at(hostname)

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Wait; raises DeadlineExceeded, naming what was waited for, if that would reach the deadline."""
        with self._calls.default_deadline() as deadline:
            deadline.pause(seconds, waiting_for)

    def deadline(self, seconds: float, *, setting: str = "") -> AbstractContextManager[Deadline]:
        """Like `tenantry.providers.qlik.deadline`, by the clock of this Cloud."""
        return deadline(seconds, clock=self.clock, setting=setting)

    def default_deadline(self, more: float = 0.0) -> AbstractContextManager[Deadline]:
        """Return a context with the deadline of the settings and `more` seconds, where none is set."""
        return self._calls.default_deadline(more)

    def close(self) -> None:
        """Close the connections that are kept open; the next request opens new ones."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    @property
    def _calls(self) -> Calls:
        """Made for the first request, so that nothing before it can fail; raises ConfigurationError."""
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
