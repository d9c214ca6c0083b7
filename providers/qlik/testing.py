"""A fake network and a fake clock, for tests of code that sends requests to Qlik Cloud.

```python
def handler(call: Call) -> Reply:
    return Reply(200, {"id": "123", **call.json})

cloud = Cloud(ENVIRONMENT, adapter=MockTransport(handler), clock=FakeClock())
cloud.tenant("acme.eu.qlikcloud.com").post("/api/v1/spaces", {"name": "Sales", "type": "shared"})
```

The transport answers token requests itself, unless you pass `tokens=False`.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

__all__ = ["ENVIRONMENT", "Call", "FakeClock", "MockTransport", "Reply"]

ENVIRONMENT: Mapping[str, str] = {"QLIK_CLIENT_ID": "test-client", "QLIK_CLIENT_SECRET": "test-secret"}


@dataclass(frozen=True)
class Call:
    """A request as it is on the network.

    `host` is the host at Qlik. `params` maps each name in the query to a list of values.
    """

    method: str
    host: str
    path: str
    params: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed JSON body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """A response. Its body is `json`, or `content` if `json` is None."""

    status: int
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


class MockTransport(BaseAdapter):
    """A transport that returns the reply of `handler` to each request, or raises its error.

    `calls` lists all requests. Token requests are among them, but do not reach the handler, unless `tokens`
    is False.
    """

    def __init__(self, handler: Callable[[Call], Reply], *, tokens: bool = True) -> None:
        super().__init__()
        self._handler = handler
        self._tokens = tokens
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the response to a request. `requests` calls this."""
        call = _call(request)
        with self._lock:
            self.calls.append(call)
        if self._tokens and call.path == "/oauth/token":
            reply = Reply(
                200, {"access_token": f"token-of-{call.host}", "token_type": "bearer", "expires_in": 21600}
            )
        else:
            reply = self._handler(call)
        return _response(request, reply)

    def close(self) -> None:
        """Do nothing, because no connection is open. `requests` calls this."""


class FakeClock:
    """A clock that moves only when `sleep` is called, which returns at once. Thread-safe.

    `sleeps` lists the seconds of each call.
    """

    def __init__(self, time: float = 1_800_000_000.0) -> None:
        self.sleeps: list[float] = []
        self._start = time
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Return the sum of all sleeps in seconds."""
        return sum(self.sleeps)

    def time(self) -> float:
        """Return the seconds since 1970."""
        return self._start + self.monotonic()

    def sleep(self, seconds: float) -> None:
        """Move the clock forward by this number of seconds."""
        with self._lock:
            self.sleeps.append(seconds)


def _call(request: requests.PreparedRequest) -> Call:
    url = urlsplit(request.url or "")
    body = request.body or b""
    if not isinstance(body, str | bytes):
        body = b"".join(body)
    return Call(
        request.method or "",
        request.headers.get("Host") or url.hostname or "",
        url.path,
        parse_qs(url.query),
        request.headers,
        body.encode() if isinstance(body, str) else body,
    )


def _response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    content = reply.content if reply.json is None else json.dumps(reply.json).encode()
    headers = HTTPHeaderDict({"Content-Length": str(len(content)), **reply.headers})
    raw = HTTPResponse(
        io.BytesIO(content), headers, reply.status, preload_content=False, request_method=request.method
    )
    return HTTPAdapter().build_response(request, raw)
