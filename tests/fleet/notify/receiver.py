"""A local server that receives notifications. It can misbehave in several ways."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET_PATH = "/services/T000/B000/s3cr3t-token"


class Receiver:
    """The received requests, and the behaviour of the server.

    `statuses` are the statuses of the next responses. Later responses have the status 200. `location` is the
    target of a redirect. A server that `hangs` sends no response, one that `drips` sends it byte by byte.
    """

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.statuses: list[int] = []
        self.location = ""
        self.drips = self.hangs = False
        self.closing = threading.Event()

    @property
    def received(self) -> list[Any]:
        """The bodies as JSON."""
        return [json.loads(body) for body in self.bodies]

    @property
    def events(self) -> list[str]:
        """The kinds of the events that a webhook received."""
        return [event["event"] for event in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve until the end of the block, and yield what the server receives."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
            receiver.paths.append(self.path)
            with suppress(OSError):
                self._respond()

        def _respond(self) -> None:
            if receiver.hangs:
                receiver.closing.wait()
                return
            if receiver.drips:
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000:
                    self.wfile.write(bytes([byte]))
                    if receiver.closing.wait(0.05):
                        return
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            self.send_response(status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
