"""The emulator quickly responds to any bytes or closes the connection, without a server error.

A few hundred fixed examples run with all tests. `make fuzz ARGS=20000` runs 20000 random ones.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given

from tenantry.emulator import Emulator
from tests.emulator.api import CONSOLE, REGISTER, SOURCE, create_everything, new_tenant
from tests.fuzz.examples import fuzzing
from tests.fuzz.requests import ID_COUNTS, garbage, requests

DEFAULT_EXAMPLES = 200
MAX_SECONDS = 10
IDLE_SECONDS = 0.1
STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)
END_OF_HEAD = b"\r\n\r\n"
NOT_COVERED = b"EMULATOR-NOT-COVERED"


class FailureLog(logging.Handler):
    """Collects the server's log messages about failed responses."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))


class Target:
    """An emulator that receives the requests. It is reset regularly, so that deleted objects exist again."""

    REQUESTS_PER_RESET = 1000

    def __init__(self, qlik: Emulator) -> None:
        self.qlik = qlik
        self.failures = FailureLog()
        self.request_count = 0
        self._names: dict[bytes, bytes] = {}
        self._tokens: dict[bytes, bytes] = {}

    def send(self, request: bytes) -> bytes:
        """Send a request and return the whole response."""
        if self.request_count % self.REQUESTS_PER_RESET == 0:
            self._reset()
        self.request_count += 1
        host, port = self.qlik.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=MAX_SECONDS) as connection:
            # The emulator may respond and close before the whole request is sent.
            with suppress(ConnectionError):
                connection.sendall(self._with_ids(request))
            if END_OF_HEAD not in request:
                _end_request(connection)
            return _receive(connection)

    def _with_ids(self, request: bytes) -> bytes:
        for name, value in self._names.items():
            request = request.replace(name, value)
        token = next((token for host, token in self._tokens.items() if b"Host: " + host in request), b"none")
        request = request.replace(b"~token~", token)
        return request.replace(b"~length~", b"%d" % len(request.partition(END_OF_HEAD)[2]))

    def _reset(self) -> None:
        self.qlik.control.reset()
        tenant = new_tenant(self.qlik)
        tenant_id = tenant.send("GET", "/api/v1/tenants/me").headers["location"].rsplit("/", 1)[1]
        ids = create_everything(tenant) | {"tenantId": [tenant_id]}
        assert {name: len(values) for name, values in ids.items()} == ID_COUNTS
        self._names = {
            f"~{name}{number}~".encode(): id.encode()
            for name, values in ids.items()
            for number, id in enumerate(values)
        }
        self._names[b"~tenant~"] = tenant.host.encode()
        users = [
            tenant,
            tenant.on(REGISTER).login(),
            tenant.on(SOURCE).login(),
            tenant.on(CONSOLE, "demo-org").login(),
        ]
        self._tokens = {user.host.encode(): user.token.encode() for user in users}


def _end_request(connection: socket.socket) -> None:
    """Close our side of the connection for writing."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def _receive(connection: socket.socket) -> bytes:
    """Return all bytes until the other side closes. If it waits for more bytes, end the request."""
    received = b""
    request_is_open = True
    connection.settimeout(IDLE_SECONDS)
    while True:
        try:
            chunk = connection.recv(1 << 16)
        except TimeoutError:
            assert request_is_open, "no response, and the connection is still open"
            request_is_open = False
            _end_request(connection)
            connection.settimeout(MAX_SECONDS)
            continue
        except ConnectionError:
            return received
        if not chunk:
            return received
        received += chunk


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    logger = logging.getLogger("uvicorn.error")
    with Emulator() as qlik:
        target = Target(qlik)
        logger.addHandler(target.failures)
        yield target
    logger.removeHandler(target.failures)


@pytest.mark.parametrize("strategy", [garbage, requests])
def test_any_bytes_get_a_response_or_are_refused(target: Target, strategy: object) -> None:
    @fuzzing(DEFAULT_EXAMPLES)
    @given(request=strategy())  # type: ignore[operator]
    def check(request: bytes) -> None:
        response = target.send(request)
        assert target.failures.messages == []
        for status in STATUS.findall(response[:200]):
            assert int(status) < 500 or (status == b"501" and NOT_COVERED in response), response

    check()
    assert target.qlik.control.health()["status"] == "ok"


def test_most_requests_reach_their_handler(target: Target) -> None:
    """Otherwise, the fuzzer would only test the first checks of the server."""
    statuses: list[int] = []

    @fuzzing(DEFAULT_EXAMPLES)
    @given(request=requests())
    def record(request: bytes) -> None:
        statuses.extend(int(status) for status in STATUS.findall(target.send(request)[:200]))

    record()
    assert sum(status < 300 for status in statuses) > len(statuses) / 20
    assert sum(status == 401 for status in statuses) < len(statuses) / 3
