"""The requests of a run from its client's view, and the request at which its process ends."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from tests.crash import process

ID = re.compile(r"[0-9a-f]{24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-zA-Z_-]{32}|[0-9a-f]{32,}")
CONNECTIONS = 16


@dataclass(frozen=True)
class Request:
    """One request of a run: method, path with `*` for each id, and its number among equal ones, from 1.

    This identifies the same request in every equal run.
    """

    method: str
    path: str
    nth: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} #{self.nth}"

    def fault(self, **effect: Any) -> dict[str, Any]:
        """Return an emulator rule for this request only: `fault(drop_after=True)`."""
        return {"method": self.method, "path": self.path, "nth": self.nth, **effect}


def numbered(log: Iterable[dict[str, Any]]) -> Iterator[Request]:
    """Yield the requests of an emulator's log."""
    seen: dict[tuple[str, str], int] = {}
    for request in log:
        key = request["method"], pattern(request["path"])
        seen[key] = seen.get(key, 0) + 1
        yield Request(*key, seen[key])


def without_tokens(requests: Iterable[Request]) -> list[Request]:
    """Return the requests without the token requests."""
    return [request for request in requests if not request.path.endswith("/oauth/token")]


def pattern(path: str) -> str:
    """Return a path without its query, and with `*` for parts that differ between runs."""
    return "/".join("*" if ID.fullmatch(part) else part for part in path.partition("?")[0].split("/"))


@dataclass(frozen=True)
class Kill:
    """A kill of the process at a request: before it is sent, or after Qlik has carried it out unnoticed."""

    request: Request
    after: bool = False


class Wire(HTTPAdapter):
    """Sends requests, and ends the process at the request that `kill` names."""

    def __init__(self, kill: Kill | None) -> None:
        super().__init__(pool_maxsize=CONNECTIONS)
        self._kill = kill
        self._matched = 0
        self._lock = threading.Lock()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request, or end the process here."""
        strikes = self._strikes(request)
        if strikes and self._kill and not self._kill.after:
            process.die()
        answer = super().send(request, *args, **kwargs)
        if strikes:
            process.die()
        return answer

    def _strikes(self, request: requests.PreparedRequest) -> bool:
        if not self._kill:
            return False
        wanted = self._kill.request
        path = urlsplit(request.url or "").path
        if request.method != wanted.method or not fnmatchcase(path, wanted.path):
            return False
        with self._lock:
            self._matched += 1
            return self._matched == wanted.nth
