"""Requests over real loopback sockets, with connections that are reused, cut, slow or incomplete."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from tenantry.providers.qlik import (
    Cloud,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    ResponseLost,
    deadline,
)
from tenantry.providers.qlik.deadlines import SYSTEM_CLOCK, Deadline
from tenantry.providers.qlik.messages import Part, Request
from tenantry.providers.qlik.settings import Settings
from tenantry.providers.qlik.testing import ENVIRONMENT, FakeClock, MockTransport, Reply
from tenantry.providers.qlik.transport import CHUNK, FileBody, Transport, _encoded
from tests.providers.qlik.conftest import TENANT, MakeWire
from tests.providers.qlik.wire import Exchange, Wire

MakeCloud = Callable[..., Cloud]


def succeed(exchange: Exchange) -> None:
    exchange.respond(200, {"path": exchange.path, "body": exchange.body.decode()})


def fail_once(failure: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Return a script that fails at the first request and responds to the others."""
    paths: list[str] = []

    def script(exchange: Exchange) -> None:
        paths.append(exchange.path)
        failure(exchange) if len(paths) == 1 else succeed(exchange)

    return script


def cut_in_response(exchange: Exchange) -> None:
    exchange.respond(200, b'{"id": ', Content_Length="100")
    exchange.close_connection = True


def cut_in_chunks(exchange: Exchange) -> None:
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    exchange.end_headers()
    exchange.wfile.write(b'7\r\n{"id": \r\n')
    exchange.close_connection = True


def reset(exchange: Exchange) -> None:
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    exchange.connection.close()
    exchange.close_connection = True


def send_two_lengths(exchange: Exchange) -> None:
    exchange.send_response(200)
    exchange.send_header("Content-Length", "2")
    exchange.send_header("Content-Length", "5")
    exchange.end_headers()
    exchange.wfile.write(b"{}")


FAILURES = [send_two_lengths, Exchange.cut, reset, cut_in_response, cut_in_chunks, Exchange.wait]
each_failure = pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)


def test_requests_for_every_host_go_to_the_endpoint(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    wire = make_wire(succeed)
    cloud = make_cloud(wire, QLIK_ORG_CLIENT_ID="o", QLIK_ORG_CLIENT_SECRET="p")
    for host in [cloud.tenant(TENANT), cloud.register("eu"), cloud.organisation()]:
        host.get("/api/v1/x")
        assert wire.received[-1].headers["Host"] == host.hostname
        assert wire.received[-1].headers["Authorization"] == "Bearer the-access-token"


def test_json_and_parameters_arrive(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    wire = make_wire(succeed)
    received = make_cloud(wire).tenant(TENANT).post("/api/v1/x", {"a": 1}, params={"q": "a b&c"})
    assert received == {"path": "/api/v1/x?q=a+b%26c", "body": '{"a": 1}'}


def test_connections_are_reused(make_wire: MakeWire, make_cloud: MakeCloud, tmp_path: Path) -> None:
    wire = make_wire(
        lambda exchange: exchange.respond(404, {}) if "no" in exchange.path else succeed(exchange)
    )
    tenant = make_cloud(wire).tenant(TENANT)
    (tmp_path / "file").write_bytes(b"x")
    for _ in range(3):
        tenant.get("/x")
        tenant.post("/x", {})
        tenant.upload("/x", tmp_path / "file")
        tenant.download("/x", tmp_path / "to")
        with pytest.raises(NotFound):
            tenant.get("/no")
    assert len(wire.api_requests) == 15
    assert wire.connections == 1


def test_a_connection_is_reused_after_an_empty_response(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    wire = make_wire(lambda exchange: exchange.respond(204))
    tenant = make_cloud(wire).tenant(TENANT)
    assert [tenant.delete("/x") for _ in range(3)] == [None] * 3
    assert wire.connections == 1


def test_many_threads_get_their_own_responses(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    wire = make_wire(succeed)
    tenant = make_cloud(wire).tenant(TENANT)
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda n: tenant.post(f"/x{n}", {"n": n}), range(200)))
    assert [response["path"] for response in responses] == [f"/x{n}" for n in range(200)]
    assert [response["body"] for response in responses] == [f'{{"n": {n}}}' for n in range(200)]
    assert len([request for request in wire.received if request.path == "/oauth/token"]) == 1
    assert wire.connections <= 8


@each_failure
def test_a_read_is_repeated_after_a_failed_connection(
    make_wire: MakeWire, make_cloud: MakeCloud, failure: Callable[[Exchange], None]
) -> None:
    wire = make_wire(fail_once(failure))
    assert make_cloud(wire, TENANTRY_REQUEST_TIMEOUT="0.2").tenant(TENANT).get("/x")["path"] == "/x"
    assert len(wire.api_requests) == 2


@each_failure
def test_a_change_is_not_repeated_after_a_failed_connection(
    make_wire: MakeWire, make_cloud: MakeCloud, failure: Callable[[Exchange], None]
) -> None:
    wire = make_wire(failure)
    with pytest.raises(ResponseLost):
        make_cloud(wire, TENANTRY_REQUEST_TIMEOUT="0.2").tenant(TENANT).post("/x", {"name": "Globex"})
    assert len(wire.api_requests) == 1


@each_failure
def test_a_download_is_repeated_after_a_failed_connection(
    make_wire: MakeWire, make_cloud: MakeCloud, failure: Callable[[Exchange], None], tmp_path: Path
) -> None:
    wire = make_wire(fail_once(failure))
    cloud = make_cloud(wire, TENANTRY_REQUEST_TIMEOUT="0.2")
    assert cloud.tenant(TENANT).download("/x", tmp_path / "to") == len('{"path": "/x", "body": ""}')
    assert len(wire.api_requests) == 2


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Exchange.cut, "closed without a response"),
        (reset, "reset by peer"),
        (cut_in_response, "the response was cut off"),
        (cut_in_chunks, "the response was cut off"),
        (Exchange.wait, "TENANTRY_REQUEST_TIMEOUT"),
    ],
)
def test_the_error_explains_the_failed_connection(
    make_wire: MakeWire, make_cloud: MakeCloud, failure: Callable[[Exchange], None], reason: str
) -> None:
    wire = make_wire(failure)
    with pytest.raises(ConnectionFailed, match=reason) as caught:
        make_cloud(wire, TENANTRY_REQUEST_TIMEOUT="0.2").tenant(TENANT).get("/api/v1/x?q=1")
    assert str(caught.value).startswith(f"GET {TENANT}/api/v1/x failed: ")
    assert len(wire.api_requests) == 4


def test_a_refused_connection_is_an_error_with_advice(make_cloud: MakeCloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    environ = {
        "QLIK_CLIENT_ID": "i",
        "QLIK_CLIENT_SECRET": "s",
        "QLIK_CLOUD_ENDPOINT": f"http://127.0.0.1:{port}",
    }
    from tenantry.providers.qlik.testing import FakeClock

    with Cloud(environ, clock=FakeClock()) as cloud, pytest.raises(ConnectionFailed) as caught:
        cloud.tenant(TENANT).post("/x", {})
    assert "refused" in str(caught.value).lower()
    assert "Check that the emulator is running" in str(caught.value)
    assert not caught.value.sent


def test_a_connection_that_was_closed_while_idle_is_replaced(
    make_wire: MakeWire, make_cloud: MakeCloud
) -> None:
    """Otherwise a change after a pause would get no response."""

    def script(exchange: Exchange) -> None:
        succeed(exchange)
        exchange.close_connection = True  # without announcing it in the response

    wire = make_wire(script)
    tenant = make_cloud(wire).tenant(TENANT)
    tenant.get("/x")
    time.sleep(0.05)
    assert tenant.post("/x", {})["body"] == "{}"


@pytest.mark.parametrize(("remaining", "timeout"), [(4, (4, 4)), (40, (15, 40)), (400, (15, 60))])
def test_timeouts_are_never_longer_than_the_remaining_time(
    remaining: float, timeout: tuple[float, float]
) -> None:
    """Otherwise a connection has 15 seconds, and the settings have the timeout of a response."""
    timeouts: list[Any] = []

    class Network(MockTransport):
        def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
            timeouts.append(options["timeout"])
            return super().send(request)

    network = Network(lambda _: Reply(200, {}))
    cloud = Cloud(ENVIRONMENT, adapter=network, clock=FakeClock())
    with cloud, cloud.deadline(remaining):
        cloud.tenant(TENANT).get("/x")
    assert set(timeouts) == {timeout}


def test_a_call_without_a_response_ends_at_its_deadline(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    wire = make_wire(Exchange.wait)
    tenant = make_cloud(wire, clock=SYSTEM_CLOCK).tenant(TENANT)
    tenant.authenticate()
    start = time.monotonic()
    with deadline(0.3), pytest.raises(DeadlineExceeded, match="/x"):
        tenant.get("/x")
    assert time.monotonic() - start < 2


def send_slowly(exchange: Exchange) -> None:
    """Send a response byte by byte, with only short pauses."""
    exchange.send_response(200)
    exchange.send_header("Content-Length", "100000")
    exchange.end_headers()
    while not exchange.server.stopping.wait(0.02):
        exchange.wfile.write(b" ")


def test_a_call_with_a_slow_response_ends_at_its_deadline(
    make_wire: MakeWire, make_cloud: MakeCloud, tmp_path: Path
) -> None:
    wire = make_wire(send_slowly)
    tenant = make_cloud(wire, clock=SYSTEM_CLOCK).tenant(TENANT)
    start = time.monotonic()
    with deadline(0.3), pytest.raises(DeadlineExceeded):
        tenant.get("/x")
    with deadline(0.3), pytest.raises(ResponseLost):
        tenant.post("/x", {})
    with deadline(0.3), pytest.raises(DeadlineExceeded):
        tenant.download("/x", tmp_path / "to")
    assert time.monotonic() - start < 4
    assert list(tmp_path.iterdir()) == []


def test_the_connection_is_closed_at_the_deadline(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    closed = threading.Event()

    def script(exchange: Exchange) -> None:
        try:
            send_slowly(exchange)
        except OSError:
            closed.set()

    tenant = make_cloud(make_wire(script), clock=SYSTEM_CLOCK).tenant(TENANT)
    with deadline(0.2), pytest.raises(DeadlineExceeded) as caught:
        tenant.get("/x")
    assert closed.wait(3), caught.value  # while the exception still keeps its frames alive


def test_no_part_of_a_file_is_read_after_the_deadline() -> None:
    clock = FakeClock()
    body = FileBody([io.BytesIO(b"x")], Request("PUT", TENANT, "/x"), Deadline(5, clock))
    assert body.read() == b"x"
    clock.sleep(5)
    with pytest.raises(ConnectionFailed, match="no time left to send the file"):
        body.read()


def test_a_form_with_files_is_one_body(tmp_path: Path) -> None:
    """Its files are read in pieces, and its length is known in advance."""
    request = Request("POST", TENANT, "/x")
    form = {"Json": Part(b"{}", "application/json")}
    for name in ("One", "Two"):
        (tmp_path / name).write_bytes(name.encode() * CHUNK)
        form[name] = Part(b"", "application/octet-stream", name, tmp_path / name)
    with ExitStack() as stack:
        files, content_type = _encoded(form, stack)
        body = FileBody(files, request, Deadline(5, FakeClock()))
        pieces = list(body)
        assert max(map(len, pieces)) <= CHUNK
    content = b"".join(pieces)
    assert len(content) == len(body)
    boundary = content_type.partition("boundary=")[2].encode()
    contents = [
        part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in content.split(b"--" + boundary)
    ]
    assert contents == [b"", b"{}", b"One" * CHUNK, b"Two" * CHUNK, b""]


def test_there_is_a_connection_for_each_concurrent_call() -> None:
    """Otherwise each further connection is closed after its call, and the next call needs a TLS handshake."""
    adapter = Transport(Settings())._connections().get_adapter(f"https://{TENANT}")
    assert isinstance(adapter, requests.adapters.HTTPAdapter)
    assert adapter.poolmanager.connection_pool_kw["maxsize"] == 16


def test_an_upload_that_the_server_reads_slowly_ends_at_its_deadline(
    make_cloud: MakeCloud, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 << 20)

    class SlowReader(Exchange):
        def do_POST(self) -> None:
            if self.path == "/oauth/token":
                self.rfile.read(int(self.headers["Content-Length"]))
                self.respond(200, {"access_token": "t"})
                return
            while self.rfile.read1(65536) and not self.server.stopping.wait(0.02):
                pass

    with Wire(succeed) as wire:
        wire.RequestHandlerClass = SlowReader
        tenant = make_cloud(wire, clock=SYSTEM_CLOCK).tenant(TENANT)
        start = time.monotonic()
        with deadline(0.3), pytest.raises(ResponseLost):
            tenant.upload("/x", tmp_path / "file")
        assert time.monotonic() - start < 3


@pytest.mark.parametrize("location", ["/there", f"https://{TENANT}/there", f"http://{TENANT}/there"])
def test_redirects_also_go_to_the_endpoint(make_wire: MakeWire, make_cloud: MakeCloud, location: str) -> None:
    wire = make_wire(fail_once(lambda exchange: exchange.respond(301, b"<html>", Location=location)))
    assert make_cloud(wire).tenant(TENANT).get("/here")["path"] == "/there"
    assert wire.api_requests[1].headers["Host"] == TENANT
    assert wire.api_requests[1].headers["Authorization"] == "Bearer the-access-token"


def test_a_redirect_never_reaches_another_host(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    other = make_wire(succeed)
    wire = make_wire(lambda exchange: exchange.respond(302, Location=f"{other.url}/steal"))
    with pytest.raises(Exception, match="another host"):
        make_cloud(wire).tenant(TENANT).get("/x")
    assert other.received == []


def test_requests_to_the_endpoint_do_not_use_a_proxy(
    make_wire: MakeWire, make_cloud: MakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, proxy = make_wire(succeed), make_wire(succeed)
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]:
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    make_cloud(wire).tenant(TENANT).get("/x")
    assert proxy.received == []
    assert len(wire.api_requests) == 1


def test_cookies_are_not_kept_and_reach_no_other_tenant(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    wire = make_wire(lambda exchange: exchange.respond(200, {}, Set_Cookie="session=1; Path=/"))
    cloud = make_cloud(wire)
    for hostname in [TENANT, TENANT, "other.eu.qlikcloud.com"]:
        cloud.tenant(hostname).get("/x")
    assert [request.headers["Cookie"] for request in wire.api_requests] == [None] * 3


def test_a_gzip_response_is_decompressed(make_wire: MakeWire, make_cloud: MakeCloud) -> None:
    import gzip

    wire = make_wire(
        lambda exchange: exchange.respond(
            200, gzip.compress(b'{"a": "' + b"b" * 100_000 + b'"}'), Content_Encoding="gzip"
        )
    )
    assert len(make_cloud(wire).tenant(TENANT).get("/x")["a"]) == 100_000


def test_a_chunked_response_is_read(make_wire: MakeWire, make_cloud: MakeCloud, tmp_path: Path) -> None:
    def script(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Transfer-Encoding", "chunked")
        exchange.end_headers()
        exchange.wfile.write(b'7\r\n{"id": \r\n4\r\n"1"}\r\n0\r\n\r\n')

    wire = make_wire(script)
    tenant = make_cloud(wire).tenant(TENANT)
    assert tenant.get("/x") == {"id": "1"}
    assert tenant.download("/x", tmp_path / "to") == 11
    assert wire.connections == 1


def test_an_empty_file_is_uploaded(make_wire: MakeWire, make_cloud: MakeCloud, tmp_path: Path) -> None:
    wire = make_wire(succeed)
    (tmp_path / "file").touch()
    received: Any = make_cloud(wire).tenant(TENANT).upload("/x", tmp_path / "file")
    assert received["body"] == ""
    assert wire.api_requests[0].headers["Content-Length"] == "0"


@pytest.mark.parametrize("part", ["the first line", "headers", "chunks"])
def test_an_endless_response_ends_at_the_deadline(make_cloud: MakeCloud, part: str) -> None:
    """Each piece arrives well within the timeout of one read, and the pieces never end."""
    closed_connections: list[str] = []

    status = b"HTTP/1.1 200 OK\r\n"
    start, piece = {
        "the first line": (b"", b"H"),
        "headers": (status, b"X"),
        "chunks": (status + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    }[part]

    def send_endlessly(exchange: Exchange) -> None:
        exchange.close_connection = True
        try:
            exchange.wfile.write(start)
            while not exchange.server.stopping.wait(0.02):
                exchange.wfile.write(piece)
        except OSError:
            closed_connections.append(part)

    with Wire(send_endlessly) as wire:
        cloud = make_cloud(wire, clock=SYSTEM_CLOCK)
        cloud.authenticate(TENANT)
        with deadline(0.6), pytest.raises((ConnectionFailed, DeadlineExceeded)):
            cloud.tenant(TENANT).get("/x")
        assert not wire.stopping.wait(1.5)
        assert closed_connections == [part], "the client must close the connection"
