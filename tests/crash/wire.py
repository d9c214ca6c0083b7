"""The requests that a client sends in a run, and the request at which its process is killed."""

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
    """One request of a run: its method, its path with `*` for each id, and its number.

    The number counts the requests with that method and path, from 1. So the same request has the same name
    in every equal run.
    """

    method: str
    path: str
    nth: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} #{self.nth}"

    def fault(self, **effect: Any) -> dict[str, Any]:
        """Return an emulator rule for this request only, as in `fault(drop_after=True)`."""
        return {"method": self.method, "path": self.path, "nth": self.nth, **effect}


def numbered(log: Iterable[dict[str, Any]]) -> Iterator[Request]:
    """Yield the requests of an emulator's log."""
    counts: dict[tuple[str, str], int] = {}
    for request in log:
        key = request["method"], pattern(request["path"])
        counts[key] = counts.get(key, 0) + 1
        yield Request(*key, counts[key])


def without_tokens(requests: Iterable[Request]) -> list[Request]:
    """Return the requests without the token requests."""
    return [request for request in requests if not request.path.endswith("/oauth/token")]


def pattern(path: str) -> str:
    """Return a path without its query, and with `*` for parts that differ between runs."""
    return "/".join("*" if ID.fullmatch(part) else part for part in path.partition("?")[0].split("/"))


@dataclass(frozen=True)
class KillPoint:
    """A kill of the process at a request.

    `after`: Qlik has carried out the request, but the process has not seen the response.
    """

    request: Request
    after: bool = False


class KillingAdapter(HTTPAdapter):
    """An HTTP adapter that ends the process at the request of the kill point."""

    def __init__(self, kill: KillPoint | None) -> None:
        super().__init__(pool_maxsize=CONNECTIONS)
        self._kill = kill
        self._matched = 0
        self._lock = threading.Lock()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request, or end the process here."""
        is_kill_point = self._is_kill_point(request)
        if is_kill_point and self._kill and not self._kill.after:
            process.die()
        response = super().send(request, *args, **kwargs)
        if is_kill_point:
            process.die()
        return response

    def _is_kill_point(self, request: requests.PreparedRequest) -> bool:
        if not self._kill:
            return False
        target = self._kill.request
        path = urlsplit(request.url or "").path
        if request.method != target.method or not fnmatchcase(path, target.path):
            return False
        with self._lock:
            self._matched += 1
            return self._matched == target.nth
