"""The delivery of events to one target, in the background, with limits for their number and time."""

from __future__ import annotations

import hashlib
import hmac
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenantry.fleet.notify.events import Event
from tenantry.fleet.notify.forms import body
from tenantry.fleet.notify.targets import Target
from tenantry.providers.qlik import deadline
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    import requests

MAX_WAITING_EVENTS = 50
RETRIED_STATUSES = (408, 429)
"""The statuses that lead to a retry, besides 5xx. A missing response also leads to a retry."""


@dataclass(frozen=True)
class Limits:
    """Limits in seconds.

    `connection` is for a connection, `request` for one request, `pause` between two attempts, `event` for an
    event in total, and `end` for the running requests at the end of the run.
    """

    connection: float = 4.0
    request: float = 5.0
    pause: float = 1.0
    event: float = 10.0
    end: float = 5.0


class Delivery:
    """The delivery of events to one target, in order. `secret` signs the events for a webhook."""

    def __init__(self, target: Target, secret: str = "", limits: Limits | None = None) -> None:
        self.target = target
        self._secret = secret.encode()
        self._limits = limits or Limits()
        self._waiting: queue.Queue[Event | None] = queue.Queue(MAX_WAITING_EVENTS)
        self._thread: threading.Thread | None = None
        self._accepted = self._delivered = 0
        self._loss_reason = ""

    def put(self, event: Event) -> None:
        """Send an event, or drop it if too many are waiting. Returns immediately."""
        self._accepted += 1
        if self._thread is None:
            # A daemon thread, so that the command can end even if the target does not respond.
            self._thread = threading.Thread(target=self._work, name="notify", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._loss_reason = self._loss_reason or "too many events were waiting"

    def end(self) -> None:
        """Accept no more events."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            self._loss_reason = self._loss_reason or "too many events were waiting"

    def undelivered(self, until: float) -> str:
        """Wait for the running requests until a time of the monotonic clock.

        Returns a line about the events that were not delivered, or an empty string.
        """
        if self._thread:
            self._thread.join(max(0.0, until - time.monotonic()))
        undelivered = self._accepted - self._delivered
        if not undelivered:
            return ""
        reason = self._loss_reason or "no response in time"
        number = f"{counted(undelivered, 'event')} of {self._accepted}"
        return f"Notifications to {self.target}: {number} not delivered: {reason}."

    def _work(self) -> None:
        while event := self._waiting.get():
            self._deliver(event)

    def _deliver(self, event: Event) -> None:
        data = body(event, self.target.form)
        end = time.monotonic() + self._limits.event
        for is_last in (False, True):
            try:
                status = self._send(event, data, min(self._limits.request, end - time.monotonic()))
            except Exception as error:  # noqa: BLE001 (no error may end the thread)
                reason, can_retry = _failure_text(error), True
            else:
                if 200 <= status < 300:
                    self._delivered += 1
                    return
                reason, can_retry = f"it responded with {status}", status >= 500 or status in RETRIED_STATUSES
            if is_last or not can_retry or time.monotonic() + self._limits.pause >= end:
                break
            time.sleep(self._limits.pause)
        self._loss_reason = reason

    def _send(self, event: Event, data: bytes, seconds: float) -> int:
        """Send a request and return the status of the response.

        Its body is not read, and redirects are not followed.
        """
        with _session(self.target) as session, deadline(seconds):
            response = session.post(
                self.target.url,
                data=data,
                headers=self._headers(event, data),
                auth=_no_password,
                timeout=(min(self._limits.connection, seconds), seconds),
                allow_redirects=False,
                stream=True,
            )
            return response.status_code

    def _headers(self, event: Event, data: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "tenantry"}
        if self.target.form != "webhook":
            return headers
        headers |= {"Tenantry-Event": event.kind, "Tenantry-Delivery": event.id}
        if self._secret:
            headers["Tenantry-Signature"] = signature(self._secret, int(time.time()), data)
        return headers


def signature(secret: bytes, moment: int, data: bytes) -> str:
    """Return the signature of a body: the time, and an HMAC-SHA256 of the time, a dot and the body.

    The time is in seconds since 1970.
    """
    digest = hmac.new(secret, f"{moment}.".encode() + data, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def _session(target: Target) -> requests.Session:
    """Return a session for one request.

    The import is here, so that runs without notifications do not load the HTTP library.
    """
    import requests

    from tenantry.providers.qlik.deadline_adapter import Adapter

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            """Return None: the original method would read the body of a redirect."""

    session = Session()
    session.trust_env = not target.is_local  # the proxies and certificates of the environment
    session.mount("https://", Adapter())
    session.mount("http://", Adapter())
    return session


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return the request unchanged. Without this, `requests` would send a password from .netrc."""
    return request


def _failure_text(error: Exception) -> str:
    """Return the type of the failure. The text of the error may contain the address, which is a secret."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate was refused, or TLS failed"
    if isinstance(error, requests.exceptions.Timeout | TimeoutError):
        return "no response in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "it cannot be reached"
    return type(error).__name__
