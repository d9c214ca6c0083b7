"""Over real sockets on loopback: what connections really do when they are kept, cut, slow, cut short."""

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

Wired = Callable[..., Cloud]


def fine(exchange: Exchange) -> None:
    exchange.answer(200, {"path": exchange.path, "body": exchange.body.decode()})


def once(breakdown: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """A script that breaks down at the first request and answers the others."""
    broken: list[str] = []

    def script(exchange: Exchange) -> None:
        broken.append(exchange.path)
        breakdown(exchange) if len(broken) == 1 else fine(exchange)

    return script


def cut_in_response(exchange: Exchange) -> None:
    exchange.answer(200, b'{"id": ', Content_Length="100")
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


def contradict(exchange: Exchange) -> None:
    exchange.send_response(200)
    exchange.send_header("Content-Length", "2")
    exchange.send_header("Content-Length", "5")
    exchange.end_headers()
    exchange.wfile.write(b"{}")


BREAKDOWNS = [contradict, Exchange.cut, reset, cut_in_response, cut_in_chunks, Exchange.wait]
breakdowns = pytest.mark.parametrize("breakdown", BREAKDOWNS, ids=lambda each: each.__name__)


def test_every_host_is_reached_at_the_endpoint(make_wire: MakeWire, make_cloud: Wired) -> None:
    wire = make_wire(fine)
    cloud = make_cloud(wire, QLIK_ORG_CLIENT_ID="o", QLIK_ORG_CLIENT_SECRET="p")
    for host in [cloud.tenant(TENANT), cloud.register("eu"), cloud.organisation()]:
        host.get("/api/v1/x")
        assert wire.seen[-1].headers["Host"] == host.hostname
        assert wire.seen[-1].headers["Authorization"] == "Bearer the-access-token"


def test_json_and_parameters_arrive(make_wire: MakeWire, make_cloud: Wired) -> None:
    wire = make_wire(fine)
    found = make_cloud(wire).tenant(TENANT).post("/api/v1/x", {"a": 1}, params={"q": "a b&c"})
    assert found == {"path": "/api/v1/x?q=a+b%26c", "body": '{"a": 1}'}


def test_connections_are_reused(make_wire: MakeWire, make_cloud: Wired, tmp_path: Path) -> None:
    wire = make_wire(lambda each: each.answer(404, {}) if "no" in each.path else fine(each))
    tenant = make_cloud(wire).tenant(TENANT)
    (tmp_path / "file").write_bytes(b"x")
    for _ in range(3):
        tenant.get("/x")
        tenant.post("/x", {})
        tenant.upload("/x", tmp_path / "file")
        tenant.download("/x", tmp_path / "to")
        with pytest.raises(NotFound):
            tenant.get("/no")
    assert len(wire.asked) == 15
    assert wire.connections == 1


def test_an_empty_answer_keeps_the_connection(make_wire: MakeWire, make_cloud: Wired) -> None:
    wire = make_wire(lambda each: each.answer(204))
    tenant = make_cloud(wire).tenant(TENANT)
    assert [tenant.delete("/x") for _ in range(3)] == [None] * 3
    assert wire.connections == 1


def test_many_threads_at_once(make_wire: MakeWire, make_cloud: Wired) -> None:
    wire = make_wire(fine)
    tenant = make_cloud(wire).tenant(TENANT)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: tenant.post(f"/x{n}", {"n": n}), range(200)))
    assert [each["path"] for each in found] == [f"/x{n}" for n in range(200)]
    assert [each["body"] for each in found] == [f'{{"n": {n}}}' for n in range(200)]
    assert len([each for each in wire.seen if each.path == "/oauth/token"]) == 1
    assert wire.connections <= 8


@breakdowns
def test_a_read_gets_over_it(
    make_wire: MakeWire, make_cloud: Wired, breakdown: Callable[[Exchange], None]
) -> None:
    wire = make_wire(once(breakdown))
    assert make_cloud(wire, TENANTRY_REQUEST_TIMEOUT="0.2").tenant(TENANT).get("/x")["path"] == "/x"
    assert len(wire.asked) == 2


@breakdowns
def test_a_change_is_sent_once_and_its_answer_lost(
    make_wire: MakeWire, make_cloud: Wired, breakdown: Callable[[Exchange], None]
) -> None:
    wire = make_wire(breakdown)
    with pytest.raises(ResponseLost):
        make_cloud(wire, TENANTRY_REQUEST_TIMEOUT="0.2").tenant(TENANT).post("/x", {"name": "Globex"})
    assert len(wire.asked) == 1


@breakdowns
def test_a_download_gets_over_it(
    make_wire: MakeWire, make_cloud: Wired, breakdown: Callable[[Exchange], None], tmp_path: Path
) -> None:
    wire = make_wire(once(breakdown))
    cloud = make_cloud(wire, TENANTRY_REQUEST_TIMEOUT="0.2")
    assert cloud.tenant(TENANT).download("/x", tmp_path / "to") == len('{"path": "/x", "body": ""}')
    assert len(wire.asked) == 2


@pytest.mark.parametrize(
    ("breakdown", "reason"),
    [
        (Exchange.cut, "closed without a response"),
        (reset, "reset by peer"),
        (cut_in_response, "the response was cut off"),
        (cut_in_chunks, "the response was cut off"),
        (Exchange.wait, "TENANTRY_REQUEST_TIMEOUT"),
    ],
)
def test_what_happened_is_said_in_words(
    make_wire: MakeWire, make_cloud: Wired, breakdown: Callable[[Exchange], None], reason: str
) -> None:
    wire = make_wire(breakdown)
    with pytest.raises(ConnectionFailed, match=reason) as caught:
        make_cloud(wire, TENANTRY_REQUEST_TIMEOUT="0.2").tenant(TENANT).get("/api/v1/x?q=1")
    assert str(caught.value).startswith(f"GET {TENANT}/api/v1/x failed: ")
    assert len(wire.asked) == 4


def test_nobody_listens(make_cloud: Wired) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
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


def test_a_connection_that_was_closed_while_idle_is_replaced(make_wire: MakeWire, make_cloud: Wired) -> None:
    """A change after a pause must not be lost to a connection that the server has closed meanwhile."""

    def script(exchange: Exchange) -> None:
        fine(exchange)
        exchange.close_connection = True  # without saying so in the answer

    wire = make_wire(script)
    tenant = make_cloud(wire).tenant(TENANT)
    tenant.get("/x")
    time.sleep(0.05)
    assert tenant.post("/x", {})["body"] == "{}"


@pytest.mark.parametrize(("left", "timeout"), [(4, (4, 4)), (40, (15, 40)), (400, (15, 60))])
def test_neither_connecting_nor_waiting_is_allowed_more_than_is_left(
    left: float, timeout: tuple[float, float]
) -> None:
    """Connecting has 15 seconds, an answer those of the settings, both at most what the deadline leaves."""
    allowed: list[Any] = []

    class Network(MockTransport):
        def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
            allowed.append(options["timeout"])
            return super().send(request)

    network = Network(lambda _: Reply(200, {}))
    cloud = Cloud(ENVIRONMENT, adapter=network, clock=FakeClock())
    with cloud, cloud.deadline(left):
        cloud.tenant(TENANT).get("/x")
    assert set(allowed) == {timeout}


def test_no_call_outlasts_its_deadline(make_wire: MakeWire, make_cloud: Wired) -> None:
    wire = make_wire(Exchange.wait)
    tenant = make_cloud(wire, clock=SYSTEM_CLOCK).tenant(TENANT)
    tenant.authenticate()
    start = time.monotonic()
    with deadline(0.3), pytest.raises(DeadlineExceeded, match="/x"):
        tenant.get("/x")
    assert time.monotonic() - start < 2


def dribble(exchange: Exchange) -> None:
    """Answer byte by byte, never silent for long."""
    exchange.send_response(200)
    exchange.send_header("Content-Length", "100000")
    exchange.end_headers()
    while not exchange.server.stopping.wait(0.02):
        exchange.wfile.write(b" ")


def test_an_answer_that_dribbles_does_not_outlast_it_either(
    make_wire: MakeWire, make_cloud: Wired, tmp_path: Path
) -> None:
    wire = make_wire(dribble)
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


def test_an_answer_that_is_given_up_is_hung_up(make_wire: MakeWire, make_cloud: Wired) -> None:
    hung_up = threading.Event()

    def script(exchange: Exchange) -> None:
        try:
            dribble(exchange)
        except OSError:
            hung_up.set()

    tenant = make_cloud(make_wire(script), clock=SYSTEM_CLOCK).tenant(TENANT)
    with deadline(0.2), pytest.raises(DeadlineExceeded) as caught:
        tenant.get("/x")
    assert hung_up.wait(3), caught.value  # while the exception, with its frames, is still held


def test_nothing_of_a_file_is_read_once_the_time_is_up() -> None:
    clock = FakeClock()
    body = FileBody([io.BytesIO(b"x")], Request("PUT", TENANT, "/x"), Deadline(5, clock))
    assert body.read() == b"x"
    clock.sleep(5)
    with pytest.raises(ConnectionFailed, match="no time left to send the file"):
        body.read()


def test_a_form_with_files_is_one_body(tmp_path: Path) -> None:
    """Its files are read in pieces, and its length is known before."""
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
    whole = b"".join(pieces)
    assert len(whole) == len(body)
    boundary = content_type.partition("boundary=")[2].encode()
    contents = [
        part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in whole.split(b"--" + boundary)
    ]
    assert contents == [b"", b"{}", b"One" * CHUNK, b"Two" * CHUNK, b""]


def test_as_many_connections_are_kept_as_calls_run_at_once() -> None:
    """Else each further one is closed after its call, and opened anew, with TLS, for the next."""
    adapter = Transport(Settings())._connections().get_adapter(f"https://{TENANT}")
    assert isinstance(adapter, requests.adapters.HTTPAdapter)
    assert adapter.poolmanager.connection_pool_kw["maxsize"] == 16


def test_an_upload_that_nobody_reads_does_not_outlast_it(make_cloud: Wired, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 << 20)

    class Slow(Exchange):
        def do_POST(self) -> None:
            if self.path == "/oauth/token":
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(200, {"access_token": "t"})
                return
            while self.rfile.read1(65536) and not self.server.stopping.wait(0.02):
                pass

    with Wire(fine) as wire:
        wire.RequestHandlerClass = Slow
        tenant = make_cloud(wire, clock=SYSTEM_CLOCK).tenant(TENANT)
        start = time.monotonic()
        with deadline(0.3), pytest.raises(ResponseLost):
            tenant.upload("/x", tmp_path / "file")
        assert time.monotonic() - start < 3


@pytest.mark.parametrize("location", ["/there", f"https://{TENANT}/there", f"http://{TENANT}/there"])
def test_redirects_stay_at_the_endpoint(make_wire: MakeWire, make_cloud: Wired, location: str) -> None:
    wire = make_wire(once(lambda each: each.answer(301, b"<html>", Location=location)))
    assert make_cloud(wire).tenant(TENANT).get("/here")["path"] == "/there"
    assert wire.asked[1].headers["Host"] == TENANT
    assert wire.asked[1].headers["Authorization"] == "Bearer the-access-token"


def test_another_host_never_hears_of_a_redirect(make_wire: MakeWire, make_cloud: Wired) -> None:
    other = make_wire(fine)
    wire = make_wire(lambda each: each.answer(302, Location=f"{other.url}/steal"))
    with pytest.raises(Exception, match="another host"):
        make_cloud(wire).tenant(TENANT).get("/x")
    assert other.seen == []


def test_a_proxy_of_the_environment_is_not_asked_for_the_endpoint(
    make_wire: MakeWire, make_cloud: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, proxy = make_wire(fine), make_wire(fine)
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]:
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    make_cloud(wire).tenant(TENANT).get("/x")
    assert proxy.seen == []
    assert len(wire.asked) == 1


def test_no_cookie_of_one_tenant_reaches_another(make_wire: MakeWire, make_cloud: Wired) -> None:
    wire = make_wire(lambda each: each.answer(200, {}, Set_Cookie="session=1; Path=/"))
    cloud = make_cloud(wire)
    for hostname in [TENANT, TENANT, "other.eu.qlikcloud.com"]:
        cloud.tenant(hostname).get("/x")
    assert [each.headers["Cookie"] for each in wire.asked] == [None] * 3


def test_gzip_is_read(make_wire: MakeWire, make_cloud: Wired) -> None:
    import gzip

    wire = make_wire(
        lambda each: each.answer(
            200, gzip.compress(b'{"a": "' + b"b" * 100_000 + b'"}'), Content_Encoding="gzip"
        )
    )
    assert len(make_cloud(wire).tenant(TENANT).get("/x")["a"]) == 100_000


def test_chunks_are_read(make_wire: MakeWire, make_cloud: Wired, tmp_path: Path) -> None:
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


def test_an_empty_file_is_uploaded(make_wire: MakeWire, make_cloud: Wired, tmp_path: Path) -> None:
    wire = make_wire(fine)
    (tmp_path / "file").touch()
    found: Any = make_cloud(wire).tenant(TENANT).upload("/x", tmp_path / "file")
    assert found["body"] == ""
    assert wire.asked[0].headers["Content-Length"] == "0"


@pytest.mark.parametrize("part", ["the first line", "headers", "chunks"])
def test_drops_of_an_answer_do_not_outlast_it(make_cloud: Wired, part: str) -> None:
    """Each comes well within the timeout of one read, and they never end."""
    ended: list[str] = []

    status = b"HTTP/1.1 200 OK\r\n"
    begin, drop = {
        "the first line": (b"", b"H"),
        "headers": (status, b"X"),
        "chunks": (status + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    }[part]

    def drip(exchange: Exchange) -> None:
        exchange.close_connection = True
        try:
            exchange.wfile.write(begin)
            while not exchange.server.stopping.wait(0.02):
                exchange.wfile.write(drop)
        except OSError:
            ended.append(part)

    with Wire(drip) as wire:
        cloud = make_cloud(wire, clock=SYSTEM_CLOCK)
        cloud.authenticate(TENANT)
        with deadline(0.6), pytest.raises((ConnectionFailed, DeadlineExceeded)):
            cloud.tenant(TENANT).get("/x")
        assert not wire.stopping.wait(1.5)
        assert ended == [part], "nobody listens any more"
