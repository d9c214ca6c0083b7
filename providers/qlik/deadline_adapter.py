"""Connections whose every read ends with the deadline, so that no server can hold a run by slow drops.

A timeout of `requests` and urllib3 is one for each read of the socket: headers that come a byte at a time
would go on for as long as somebody sends them.
"""

from __future__ import annotations

import http.client
import io
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from tenantry.providers.qlik.deadlines import current_deadline


class _Reader(io.RawIOBase):
    """Reads a socket, each time for no longer than the deadline of the context allows."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if deadline := current_deadline():
            remaining = deadline.remaining()
            if remaining <= 0:
                raise TimeoutError("the deadline is over")
            allowed = self._sock.gettimeout()
            if allowed is None or allowed > remaining:
                self._sock.settimeout(remaining)  # urllib3 sets its own again before the next request
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *more: Any, **named: Any) -> None:
        super().__init__(sock, *more, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_Reader(sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Adapter(HTTPAdapter):
    """The adapter of `requests`, with such connections, also to a proxy."""

    def init_poolmanager(self, *more: Any, **named: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*more, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, *more: Any, **named: Any) -> Any:
        """Make the pools of a proxy, or return those that there are."""
        manager = super().proxy_manager_for(*more, **named)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
