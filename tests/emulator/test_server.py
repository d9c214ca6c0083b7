"""The emulator as a program: command line, restart, TLS, large files."""

from __future__ import annotations

import asyncio
import fcntl
import multiprocessing
import os
import pty
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.types import ASGIApp, Receive, Scope, Send

import tenantry.emulator
from tenantry.emulator import Emulator
from tenantry.emulator.__main__ import main
from tenantry.emulator.server import _Server, bind
from tenantry.emulator.settings import LENIENT_RULES
from tenantry.emulator.tls import CA_FILE, CERTIFICATE_FILE, KEY_FILE, create_certificate
from tests.emulator.api import SOURCE, Api, new_tenant

MEGABYTE = 1024 * 1024


def run(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tenantry.emulator", "--port", "0", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_address_and_stops_cleanly(stop_signal: signal.Signals) -> None:
    with run() as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("Qlik Cloud emulator on http://127.0.0.1:")
        url = line.split()[-1]
        assert requests.get(f"{url}/_emulator/health", timeout=10).json()["status"] == "ok"
        process.send_signal(stop_signal)
        rest = process.stdout.read()
        assert process.wait(10) == 0
    assert f"QLIK_CLOUD_ENDPOINT={url}" in rest
    assert "QLIK_CLIENT_ID=demo QLIK_CLIENT_SECRET=demo-secret" in rest
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=2)


def test_the_command_line_has_realistic_delays_and_limits() -> None:
    with run("--latency", "3") as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        settings = requests.get(f"{url}/_emulator/settings", timeout=10).json()
        process.terminate()
        process.stdout.read()
    assert settings["latency_ms"] == 3
    assert settings["rate_limits"] is True
    assert min(settings[name] for name in ("items_lag_ms", "publish_ready_ms", "space_ready_ms")) > 0


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        ([], []),
        (["--lenient"], list(LENIENT_RULES)),
        (["--lenient", "autoreplace,sub-type"], ["autoreplace", "sub-type"]),
    ],
)
def test_the_command_line_sets_the_lenient_rules(arguments: list[str], rules: list[str]) -> None:
    with run(*arguments) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        assert requests.get(f"{url}/_emulator/settings", timeout=10).json()["lenient"] == rules
        process.terminate()
        process.stdout.read()


def test_the_error_for_a_port_in_use_has_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with bind(0) as listener:
        port = listener.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr().err == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--port", "x"],
        ["--latency", "-1"],
        ["--host", "0.0.0.0"],
        ["--lenient", "x"],
    ],
)
def test_invalid_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert arguments[1] in capsys.readouterr().err


def test_it_listens_on_the_loopback_address_only(qlik: Emulator) -> None:
    port = int(qlik.url.rsplit(":", 1)[1])
    listening = [
        connection.laddr.ip
        for connection in psutil.Process().net_connections("inet")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    ]
    assert listening == ["127.0.0.1"]


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with Emulator(tmp_path) as first:
        tenant = new_tenant(first)
        space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
        app = tenant.post("/api/v1/apps/import", data=b"bytes", params={"spaceId": space}, expect=200)
        first.control.advance(3600)
        offset = first.control.dump()["cloud"]["clock"][0]["offset"]
    with Emulator(tmp_path) as second:
        tenant_again = Api(second, tenant.host, token=tenant.token)
        assert tenant_again.get(f"/api/v1/apps/{app['attributes']['id']}") == app
        location = tenant_again.send("POST", f"/api/v1/apps/{app['attributes']['id']}/export").headers[
            "location"
        ]
        assert tenant_again.get(location).endswith(b"\nbytes")
        assert second.control.dump()["cloud"]["clock"][0]["offset"] == offset
        assert second.control.requests()[0]["path"] == "/oauth/token"


def test_a_temporary_folder_is_removed() -> None:
    with Emulator() as qlik:
        folder = qlik._folder
        assert folder.exists()
    assert not folder.exists()


def test_a_request_cancelled_by_the_stop_is_not_logged_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    arrived = threading.Event()

    def hold(app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope.get("path") == "/held":
                arrived.set()
                await asyncio.Event().wait()
            await app(scope, receive, send)

        return wrapped

    with Emulator(middleware=hold) as qlik, ThreadPoolExecutor(1) as pool:
        response = pool.submit(requests.get, f"{qlik.url}/held", timeout=60)
        assert arrived.wait(60)
        qlik.stop()
        with pytest.raises(requests.ConnectionError):
            response.result(60)
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_tls_uses_a_certificate_for_qliks_host_names(tmp_path: Path) -> None:
    with Emulator(tmp_path, tls=True) as qlik:
        assert qlik.control.health()["status"] == "ok"
        ca_file = str(tmp_path / CA_FILE)
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", _ConnectTo(qlik.url))
            for host in (SOURCE, "register.us.qlikcloud.com", "console.qlikcloud.com"):
                response = session.get(f"https://{host}/api/v1/spaces", verify=ca_file, timeout=10)
                assert response.status_code in (400, 401)
            with pytest.raises(requests.exceptions.SSLError):
                session.get(f"https://{SOURCE}/", timeout=10)
    key = tmp_path / "emulator.key"
    assert key.stat().st_mode & 0o077 == 0
    before = key.read_bytes()
    with Emulator(tmp_path, tls=True):
        assert key.read_bytes() == before


def test_emulators_that_start_together_share_one_certificate(tmp_path: Path) -> None:
    """The first one creates it. The certificate and the key always match."""
    processes = [
        multiprocessing.get_context("spawn").Process(target=create_certificate, args=(tmp_path,))
        for _ in range(6)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / CERTIFICATE_FILE, tmp_path / KEY_FILE)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([CA_FILE, CERTIFICATE_FILE, KEY_FILE])


def test_an_incomplete_certificate_is_created_again(tmp_path: Path) -> None:
    """An emulator that is killed while it creates the files can leave only some of them."""
    create_certificate(tmp_path)
    before = (tmp_path / CA_FILE).read_bytes()
    (tmp_path / KEY_FILE).unlink()
    create_certificate(tmp_path)
    assert (tmp_path / CA_FILE).read_bytes() != before
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / CERTIFICATE_FILE, tmp_path / KEY_FILE)


@pytest.mark.parametrize("break_file", [lambda file: os.mkfifo(file), lambda file: file.write_text("no key")])
def test_the_emulator_does_not_start_with_an_unusable_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], break_file: Callable[[Path], None]
) -> None:
    create_certificate(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    break_file(tmp_path / KEY_FILE)
    with pytest.raises(
        OSError, match=r"emulator\.key is not a regular file|are not a certificate and its key"
    ):
        Emulator(tmp_path, tls=True).start()
    assert main(["--port", "0", "--tls", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err


def run_on_a_terminal(*arguments: str) -> subprocess.Popen[str]:
    """Run the emulator with its own terminal, where it could prompt for something."""
    our_end, process_end = pty.openpty()
    name = os.ttyname(process_end)
    process = subprocess.Popen(
        [sys.executable, "-m", "tenantry.emulator", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=process_end,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(name, os.O_RDWR)),
    )
    os.close(process_end)
    process.terminal = our_end  # type: ignore[attr-defined]
    return process


def test_an_encrypted_key_is_an_error_without_a_prompt(tmp_path: Path) -> None:
    """While OpenSSL waits for a password, it ignores signals."""
    create_certificate(tmp_path)
    encryption = serialization.BestAvailableEncryption(b"hush")
    key = ec.generate_private_key(ec.SECP256R1())
    options = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    (tmp_path / KEY_FILE).write_bytes(key.private_bytes(*options))
    with run_on_a_terminal("--tls", "--data", str(tmp_path)) as process:
        try:
            _, stderr = process.communicate(timeout=30)
        finally:
            process.kill()
            os.close(process.terminal)  # type: ignore[attr-defined]
    assert process.returncode == 1
    assert "are not a certificate and its key" in stderr
    assert len(stderr.splitlines()) == 1


def test_a_signal_stops_the_emulator_while_it_starts(tmp_path: Path) -> None:
    """Here, it waits for another emulator, which creates the certificate in the same folder."""
    lock = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with run("--tls", "--data", str(tmp_path)) as process:
        try:
            while not (tmp_path / "emulator.sqlite3").exists():
                assert process.poll() is None
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
            os.close(lock)


def test_the_error_for_unreadable_data_has_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "emulator.sqlite3").write_text("anything but a database" * 100)
    assert main(["--port", "0", "--data", str(tmp_path)]) == 1
    stderr = capsys.readouterr().err
    assert str(tmp_path) in stderr
    assert len(stderr.splitlines()) == 1


class FatalError(BaseException):
    """An exception that no server catches."""


def fail(app: ASGIApp) -> ASGIApp:
    """Return an application that makes its server fail at the first request."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        asyncio.get_running_loop().call_soon(sys.exit, "disk full")

    return wrapped


def test_stop_raises_the_error_of_a_failed_server() -> None:
    qlik = Emulator(middleware=fail).start()
    with suppress(requests.ConnectionError):
        requests.get(qlik.url, timeout=10)
    with pytest.raises(RuntimeError, match="disk full"):
        qlik.stop()
    assert not qlik._folder.exists()


def test_start_raises_the_error_of_a_failed_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(*_: object, **__: object) -> None:
        raise FatalError("no loop")

    monkeypatch.setattr(_Server, "serve", serve)
    with pytest.raises(RuntimeError, match="no loop"):
        Emulator().start()


def test_the_process_stops_if_the_server_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def tick(self: object, counter: int) -> bool:
        asyncio.get_running_loop().call_later(0.1, lambda: self._stopped.set())  # type: ignore[attr-defined]
        return True

    async def shutdown(*_: object, **__: object) -> None:
        raise FatalError("disk full")

    monkeypatch.setattr(_Server, "on_tick", tick)
    monkeypatch.setattr(_Server, "shutdown", shutdown)
    assert main(["--port", "0"]) == 1
    assert capsys.readouterr().err == "the emulator has failed: FatalError('disk full')\n"


class _ConnectTo(requests.adapters.HTTPAdapter):
    """An adapter like `curl --connect-to`: it connects all hosts to one address, but checks the host name."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rsplit(":", 1)[1])
        super().__init__()

    def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
        host = request.url.split("/")[2]
        request.url = request.url.replace(host, f"127.0.0.1:{self._port}", 1)
        request.headers["Host"] = host
        pool = self.poolmanager.connection_pool_kw
        pool["server_hostname"] = pool["assert_hostname"] = host
        self.poolmanager.clear()
        return super().send(request, *args, **options)


def test_a_large_app_is_not_kept_in_memory(tmp_path: Path) -> None:
    size = 200 * MEGABYTE
    with Emulator(tmp_path) as qlik:
        tenant = new_tenant(qlik)
        space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
        before = psutil.Process().memory_info().rss
        upload: dict[str, Any] = {
            "data": _zeros(size),
            "params": {"spaceId": space, "name": "Big"},
            "expect": 200,
        }
        app = tenant.post("/api/v1/apps/import", **upload)["attributes"]["id"]
        location = tenant.send("POST", f"/api/v1/apps/{app}/export").headers["location"]
        response = tenant.send("GET", location, stream=True)
        received = sum(len(chunk) for chunk in response.iter_content(MEGABYTE))
        assert received == int(response.headers["content-length"]) > size
        assert psutil.Process().memory_info().rss - before < 40 * MEGABYTE


def _zeros(size: int) -> Iterator[bytes]:
    piece = bytes(MEGABYTE)
    for _ in range(size // MEGABYTE):
        yield piece


def test_importing_the_package_does_not_import_the_server_libraries() -> None:
    code = (
        "import sys, tenantry.emulator; sys.exit(len({'uvicorn', 'starlette', 'sqlite3'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0


def test_the_error_names_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "tenantry.emulator.server")

    with pytest.raises(ImportError, match=r"uvicorn is missing.*tenantry\[emulator\]"):
        tenantry.emulator.Emulator  # noqa: B018
