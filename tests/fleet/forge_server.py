"""A local server that behaves like GitHub and GitLab for comments and issues."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_verysecret"
MAX_PAGE_SIZE = 30
"""The maximum number of entries per page, even if a request asks for more."""

Doc = dict[str, Any]


class Server:
    """The entries of the server, its requests, and its next failures."""

    def __init__(self) -> None:
        self.url = ""
        self.login = "tenantry[bot]"
        self.may_read_user = True
        self.comments: list[Doc] = []
        self.issues: list[Doc] = []
        self.requests: list[str] = []
        self.tokens: set[str] = set()
        self.failures: list[tuple[int, Doc]] = []
        self.failure_headers: dict[str, str] = {}
        self.concurrent_entry: Doc | None = None
        """An entry that another client creates just before the next POST."""
        self.links_to_other_host = False
        """If true, the next page of GitHub is on another host."""
        self._id = 100

    def entry(self, text: str, login: str = "", **fields: Any) -> Doc:
        """Return an entry of a user with a new id, in the format of both APIs."""
        self._id += 1
        login = login or self.login
        return {
            "id": self._id,
            "number": self._id + 5000,
            "iid": self._id + 5000,
            "body": text,
            "description": text,
            "state": "open",
            "user": {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"},
            "author": {"username": login},
            "html_url": f"https://forge.example/{self._id}",
            "web_url": f"https://forge.example/{self._id}",
            **fields,
        }

    @property
    def writes(self) -> list[str]:
        """The requests that change something."""
        return [request for request in self.requests if not request.startswith("GET ")]

    @property
    def open(self) -> list[Doc]:
        """The open issues."""
        return [entry for entry in self.issues if entry["state"] == "open"]

    def respond(self, method: str, path: str, query: dict[str, str], body: Doc) -> tuple[int, Any]:
        """Return the status and the body of the response to a request, and carry the request out."""
        if path == "/user":
            if not self.may_read_user:
                return 403, {"message": "Resource not accessible by integration"}
            return 200, {"login": self.login, "username": self.login}
        is_comment = re.search(r"/(comments|notes)(/\d+)?$", path) is not None
        entries = self.comments if is_comment else self.issues
        if method == "GET":
            return 200, entries if is_comment else self.open
        if method == "POST":
            if self.concurrent_entry:
                entries.append(self.concurrent_entry)
            entries.append(self.entry(body.get("body") or body["description"], title=body.get("title")))
            return 201, entries[-1]
        number = int(path.rpartition("/")[2])
        [entry] = [entry for entry in entries if number == (entry["id"] if is_comment else entry["number"])]
        if method == "DELETE":
            entries.remove(entry)
            return 204, None
        entry.update(body)
        if text := body.get("body") or body.get("description"):
            entry.update(body=text, description=text)
        if body.get("state_event") == "close":
            entry["state"] = "closed"
        return 200, entry


class _Handler(BaseHTTPRequestHandler):
    def _handle(self) -> None:
        server: Server = self.server.forge  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        server.requests.append(f"{self.command} {parts.path}")
        token_headers = ("Authorization", "PRIVATE-TOKEN", "JOB-TOKEN")
        server.tokens.update(f"{name}: {self.headers[name]}" for name in token_headers if self.headers[name])
        headers: dict[str, str] = {}
        if server.failures and parts.path != "/user":
            status, content = server.failures.pop(0)
            headers = server.failure_headers
        else:
            status, content = server.respond(self.command, parts.path, query, body)
        if status == 200 and isinstance(content, list):
            content, headers = self._page(server, content, query)
        self._reply(status, content, headers)

    def _page(
        self, server: Server, entries: list[Doc], query: dict[str, str]
    ) -> tuple[list[Doc], dict[str, str]]:
        page, size = int(query.get("page", "1")), min(int(query.get("per_page", "30")), MAX_PAGE_SIZE)
        shown = entries[(page - 1) * size : page * size]
        has_next = len(entries) > page * size
        if "/projects/" in self.path:
            return shown, {"x-next-page": str(page + 1) if has_next else ""}
        host = "http://evil.example" if server.links_to_other_host else server.url
        path = urlsplit(self.path).path
        next_link = f'<{host}{path}?per_page={size}&page={page + 1}>; rel="next"'
        return shown, {"Link": next_link} if has_next else {}

    def _reply(self, status: int, content: Any, headers: dict[str, str]) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def serving() -> Iterator[Server]:
    """Serve on a free port until the end of the block."""
    forge = Server()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.forge = forge  # type: ignore[attr-defined]
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
