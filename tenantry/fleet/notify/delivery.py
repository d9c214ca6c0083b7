"""Events on their way to one target: in the background, a bounded number of them, each for a bounded time."""

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
"""What is worth a second try, besides 5xx and no answer at all."""


@dataclass(frozen=True)
class Limits:
    """Seconds: for a connection, for one request, between two tries, for an event in all, and for what is
    under way when the run ends.
    """

    connection: float = 4.0
    request: float = 5.0
    pause: float = 1.0
    event: float = 10.0
    end: float = 5.0


class Delivery:
    """Sends events to one target, in their order. `secret` signs them, for a webhook."""

    def __init__(self, target: Target, secret: str = "", limits: Limits | None = None) -> None:
        self.target = target
        self._secret = secret.encode()
        self._limits = limits or Limits()
        self._waiting: queue.Queue[Event | None] = queue.Queue(MAX_WAITING_EVENTS)
        self._thread: threading.Thread | None = None
        self._given = self._done = 0
        self._why = ""

    def put(self, event: Event) -> None:
        """Have an event sent, or drop it if too many wait. Returns at once."""
        self._given += 1
        if self._thread is None:
            # A daemon: whatever the other side does, the command ends when it is done.
            self._thread = threading.Thread(target=self._work, name="notify", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._why = self._why or "too many were waiting"

    def end(self) -> None:
        """Let no more come."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            self._why = self._why or "too many were waiting"

    def lost(self, until: float) -> str:
        """Wait for what is under way, until a time of the monotonic clock; return a line about what did not
        arrive.
        """
        if self._thread:
            self._thread.join(max(0.0, until - time.monotonic()))
        lost = self._given - self._done
        if not lost:
            return ""
        why = self._why or "there was no answer in time"
        number = f"{counted(lost, 'event')} of {self._given}"
        return f"Notifications to {self.target}: {number} not delivered: {why}."

    def _work(self) -> None:
        while event := self._waiting.get():
            self._deliver(event)

    def _deliver(self, event: Event) -> None:
        data = body(event, self.target.form)
        end = time.monotonic() + self._limits.event
        for last in (False, True):
            try:
                status = self._send(event, data, min(self._limits.request, end - time.monotonic()))
            except Exception as error:  # noqa: BLE001 (none may end the thread)
                why, again = _reason(error), True
            else:
                if 200 <= status < 300:
                    self._done += 1
                    return
                why, again = f"it answered {status}", status >= 500 or status in RETRIED_STATUSES
            if last or not again or time.monotonic() + self._limits.pause >= end:
                break
            time.sleep(self._limits.pause)
        self._why = why

    def _send(self, event: Event, data: bytes, seconds: float) -> int:
        """Send a request and return the status of its answer. The body of that is not read, and no redirect
        followed.
        """
        with _session(self.target) as session, deadline(seconds):
            answer = session.post(
                self.target.url,
                data=data,
                headers=self._headers(event, data),
                auth=_no_password,
                timeout=(min(self._limits.connection, seconds), seconds),
                allow_redirects=False,
                stream=True,
            )
            return answer.status_code

    def _headers(self, event: Event, data: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "tenantry"}
        if self.target.form != "webhook":
            return headers
        headers |= {"Tenantry-Event": event.kind, "Tenantry-Delivery": event.id}
        if self._secret:
            headers["Tenantry-Signature"] = signature(self._secret, int(time.time()), data)
        return headers


def signature(secret: bytes, moment: int, data: bytes) -> str:
    """Return the signature of a body: the time (seconds since 1970), and HMAC-SHA256 of the time, a dot and
    the body.
    """
    digest = hmac.new(secret, f"{moment}.".encode() + data, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def _session(target: Target) -> requests.Session:
    """Return a session for one request. Imported here: a run without notifications needs no HTTP library."""
    import requests

    from tenantry.providers.qlik.punctual import Adapter

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            """None: it would read the body of a redirect."""

    session = Session()
    session.trust_env = not target.is_local  # proxies and certificates of the environment
    session.mount("https://", Adapter())
    session.mount("http://", Adapter())
    return session


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add nothing; without this a password of a .netrc would be sent."""
    return request


def _reason(error: Exception) -> str:
    """Say what kind of failure it was; the text of an error may hold the address."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate or TLS was refused"
    if isinstance(error, requests.exceptions.Timeout | TimeoutError):
        return "there was no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "it could not be reached"
    return type(error).__name__
