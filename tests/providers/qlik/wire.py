"""A real HTTP server on loopback. A script decides each response or failure."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that arrived."""

    command: str
    path: str
    headers: Message
    body: bytes


class Exchange(BaseHTTPRequestHandler):
    """One connection. Each request on it calls the script, which uses the methods below."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Wire
    body: bytes

    def respond(self, status: int, body: Any = None, **headers: str) -> None:
        """Send a response. Bytes are sent unchanged, any other body as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content_Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def cut(self) -> None:
        """Close the connection without a response."""
        self.close_connection = True

    def wait(self) -> None:
        """Send no response until the server stops."""
        self.server.stopping.wait(10)
        self.close_connection = True

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = b"" if self.server.discard else self.rfile.read(length)
        while self.server.discard and length > 0:
            length -= len(self.rfile.read(min(length, 1 << 20)))
        with self.server.lock:
            self.server.received.append(ReceivedRequest(self.command, self.path, self.headers, self.body))
        if self.path == "/oauth/token" and not self.server.own_tokens:
            self.respond(
                200, {"access_token": "the-access-token", "token_type": "Bearer", "expires_in": 21600}
            )
        else:
            self.server.script(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def setup(self) -> None:
        with self.server.lock:
            self.server.connections += 1
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Wire(ThreadingHTTPServer):
    """A server, as a context manager. It lists the received requests and counts the connections.

    With `own_tokens`, the script also handles token requests. With `discard`, request bodies are not stored.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, script: Callable[[Exchange], None], own_tokens: bool = False, discard: bool = False
    ) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.script = script
        self.own_tokens = own_tokens
        self.discard = discard
        self.received: list[ReceivedRequest] = []
        self.connections = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def api_requests(self) -> list[ReceivedRequest]:
        """Return the received requests, without token requests."""
        return [request for request in self.received if request.path != "/oauth/token"]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that disconnected, which many of these tests expect

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
