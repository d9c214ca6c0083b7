"""A real HTTP server on loopback whose every answer, or breakdown, is scripted."""

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
class Seen:
    """A request that arrived."""

    command: str
    path: str
    headers: Message
    body: bytes


class Exchange(BaseHTTPRequestHandler):
    """One connection; the script is called for each request on it and uses the methods below."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Wire
    body: bytes

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        """Answer with JSON, or with the bytes given."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content_Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def cut(self) -> None:
        """Close the connection with no word."""
        self.close_connection = True

    def wait(self) -> None:
        """Keep silent until the server is stopped."""
        self.server.stopping.wait(10)
        self.close_connection = True

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = b"" if self.server.discard else self.rfile.read(length)
        while self.server.discard and length > 0:
            length -= len(self.rfile.read(min(length, 1 << 20)))
        with self.server.lock:
            self.server.seen.append(Seen(self.command, self.path, self.headers, self.body))
        if self.path == "/oauth/token" and not self.server.own_tokens:
            self.answer(
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
    """Serves while it is entered. `seen` holds every request, `connections` counts what was opened."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, script: Callable[[Exchange], None], own_tokens: bool = False, discard: bool = False
    ) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.script = script
        self.own_tokens = own_tokens
        self.discard = discard
        self.seen: list[Seen] = []
        self.connections = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def asked(self) -> list[Seen]:
        """The requests, without those for tokens."""
        return [each for each in self.seen if each.path != "/oauth/token"]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hung up, as many of these tests want it

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
