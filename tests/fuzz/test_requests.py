"""The emulator responds to any bytes or closes the connection, quickly, and never with a server error.

A few fixed examples run with all tests. `make fuzz ARGS=20000` runs that many random ones.
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
from tests.fuzz.requests import PLACES, garbage, requests

FEW = 200
MAX_SECONDS = 10
IDLE_SECONDS = 0.1
STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)
END_OF_HEAD = b"\r\n\r\n"
NOT_COVERED = b"EMULATOR-NOT-COVERED"


class Failures(logging.Handler):
    """Collects the server's log messages about failed responses."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))


class Target:
    """An emulator as a target, reset after a number of requests so that deleted objects exist again."""

    LIFE = 1000

    def __init__(self, qlik: Emulator) -> None:
        self.qlik = qlik
        self.failures = Failures()
        self.shots = 0
        self._names: dict[bytes, bytes] = {}
        self._tokens: dict[bytes, bytes] = {}

    def answer(self, request: bytes) -> bytes:
        """Send a request and return the whole response."""
        if self.shots % self.LIFE == 0:
            self._renew()
        self.shots += 1
        host, port = self.qlik.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=MAX_SECONDS) as connection:
            # The emulator may respond and close before the whole request is sent.
            with suppress(ConnectionError):
                connection.sendall(self._filled(request))
            if END_OF_HEAD not in request:
                _end(connection)
            return _received(connection)

    def _filled(self, request: bytes) -> bytes:
        for name, value in self._names.items():
            request = request.replace(name, value)
        token = next((token for host, token in self._tokens.items() if b"Host: " + host in request), b"none")
        request = request.replace(b"~token~", token)
        return request.replace(b"~length~", b"%d" % len(request.partition(END_OF_HEAD)[2]))

    def _renew(self) -> None:
        self.qlik.control.reset()
        tenant = new_tenant(self.qlik)
        me = tenant.send("GET", "/api/v1/tenants/me").headers["location"].rsplit("/", 1)[1]
        ids = create_everything(tenant) | {"tenantId": [me]}
        assert {name: len(identifier) for name, identifier in ids.items()} == PLACES
        self._names = {
            f"~{name}{number}~".encode(): id.encode()
            for name, identifier in ids.items()
            for number, id in enumerate(identifier)
        }
        self._names[b"~tenant~"] = tenant.host.encode()
        logged_in = [
            tenant,
            tenant.on(REGISTER).login(),
            tenant.on(SOURCE).login(),
            tenant.on(CONSOLE, "demo-org").login(),
        ]
        self._tokens = {user.host.encode(): user.token.encode() for user in logged_in}


def _end(connection: socket.socket) -> None:
    """Close our side of the connection for writing."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def _received(connection: socket.socket) -> bytes:
    """Return all bytes until the other side closes; if it waits for more, end the request."""
    whole = b""
    waits = True
    connection.settimeout(IDLE_SECONDS)
    while True:
        try:
            chunk = connection.recv(1 << 16)
        except TimeoutError:
            assert waits, "no response, and the connection is still open"
            waits = False
            _end(connection)
            connection.settimeout(MAX_SECONDS)
            continue
        except ConnectionError:
            return whole
        if not chunk:
            return whole
        whole += chunk


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    logger = logging.getLogger("uvicorn.error")
    with Emulator() as qlik:
        made = Target(qlik)
        logger.addHandler(made.failures)
        yield made
    logger.removeHandler(made.failures)


@pytest.mark.parametrize("made", [garbage, requests])
def test_any_bytes_get_a_response_or_are_refused(target: Target, made: object) -> None:
    @fuzzing(FEW)
    @given(request=made())  # type: ignore[operator]
    def shoot(request: bytes) -> None:
        answer = target.answer(request)
        assert target.failures.messages == []
        for status in STATUS.findall(answer[:200]):
            assert int(status) < 500 or (status == b"501" and NOT_COVERED in answer), answer

    shoot()
    assert target.qlik.control.health()["status"] == "ok"


def test_most_requests_reach_their_handler(target: Target) -> None:
    """Otherwise, the fuzzer tests only the first checks of the server."""
    statuses: list[int] = []

    @fuzzing(FEW)
    @given(request=requests())
    def shoot(request: bytes) -> None:
        statuses.extend(int(status) for status in STATUS.findall(target.answer(request)[:200]))

    shoot()
    assert sum(status < 300 for status in statuses) > len(statuses) / 20
    assert sum(status == 401 for status in statuses) < len(statuses) / 3
