"""The emulator as a program: command line, restart, TLS, large files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

import tenantry.emulator
from tenantry.emulator import Emulator
from tenantry.emulator.__main__ import main
from tenantry.emulator.server import bind
from tenantry.emulator.tls import CA_FILE, CERTIFICATE_FILE, KEY_FILE, certificate
from tests.emulator.api import SOURCE, Api, new_tenant

MEGABYTE = 1024 * 1024


def run(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tenantry.emulator", "--port", "0", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_is_and_ends_cleanly(ending: signal.Signals) -> None:
    with run() as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("Qlik Cloud emulator on http://127.0.0.1:")
        url = line.split()[-1]
        assert requests.get(f"{url}/_emulator/health", timeout=10).json()["status"] == "ok"
        process.send_signal(ending)
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


def test_a_taken_port_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with bind(0) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr().err == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    "arguments", [["--port", "70000"], ["--port", "x"], ["--latency", "-1"], ["--host", "0.0.0.0"]]
)
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
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
        ahead = first.control.dump()["cloud"]["clock"][0]["offset"]
    with Emulator(tmp_path) as second:
        again = Api(second, tenant.host, token=tenant.token)
        assert again.get(f"/api/v1/apps/{app['attributes']['id']}") == app
        location = again.send("POST", f"/api/v1/apps/{app['attributes']['id']}/export").headers["location"]
        assert again.get(location).endswith(b"\nbytes")
        assert second.control.dump()["cloud"]["clock"][0]["offset"] == ahead
        assert second.control.requests()[0]["path"] == "/oauth/token"


def test_a_temporary_folder_is_removed() -> None:
    with Emulator() as qlik:
        folder = qlik._folder
        assert folder.exists()
    assert not folder.exists()


def test_https_with_a_certificate_for_qliks_names(tmp_path: Path) -> None:
    with Emulator(tmp_path, tls=True) as qlik:
        assert qlik.control.health()["status"] == "ok"
        ca_file = str(tmp_path / CA_FILE)
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", _ConnectTo(qlik.url))
            for host in (SOURCE, "register.us.qlikcloud.com", "console.qlikcloud.com"):
                answer = session.get(f"https://{host}/api/v1/spaces", verify=ca_file, timeout=10)
                assert answer.status_code in (400, 401)
            with pytest.raises(requests.exceptions.SSLError):
                session.get(f"https://{SOURCE}/", timeout=10)
    key = tmp_path / "emulator.key"
    assert key.stat().st_mode & 0o077 == 0
    before = key.read_bytes()
    with Emulator(tmp_path, tls=True):
        assert key.read_bytes() == before


def test_emulators_that_start_at_once_have_one_certificate(tmp_path: Path) -> None:
    """Whoever comes first makes it, and a pair of files always fits."""
    made = [
        multiprocessing.get_context("spawn").Process(target=certificate, args=(tmp_path,)) for _ in range(6)
    ]
    for each in made:
        each.start()
    for each in made:
        each.join()
    assert [each.exitcode for each in made] == [0] * 6
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / CERTIFICATE_FILE, tmp_path / KEY_FILE)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([CA_FILE, CERTIFICATE_FILE, KEY_FILE])


def test_half_of_a_certificate_is_made_anew(tmp_path: Path) -> None:
    """As an emulator of before left it that was killed."""
    certificate(tmp_path)
    before = (tmp_path / CA_FILE).read_bytes()
    (tmp_path / KEY_FILE).unlink()
    certificate(tmp_path)
    assert (tmp_path / CA_FILE).read_bytes() != before
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / CERTIFICATE_FILE, tmp_path / KEY_FILE)


@pytest.mark.parametrize("spoil", [lambda file: os.mkfifo(file), lambda file: file.write_text("no key")])
def test_a_certificate_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None]
) -> None:
    """It is told at once, and nothing is left that listens."""
    certificate(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    spoil(tmp_path / KEY_FILE)
    with pytest.raises(OSError, match=r"emulator\.key is not a regular file|PEM|SSL"):
        Emulator(tmp_path, tls=True).start()
    assert main(["--port", "0", "--tls", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err


class _ConnectTo(requests.adapters.HTTPAdapter):
    """Like `curl --connect-to`: any name, one address, the name still checked."""

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


def test_a_large_app_passes_through_without_being_held_in_memory(tmp_path: Path) -> None:
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
        answer = tenant.send("GET", location, stream=True)
        received = sum(len(chunk) for chunk in answer.iter_content(MEGABYTE))
        assert received == int(answer.headers["content-length"]) > size
        assert psutil.Process().memory_info().rss - before < 40 * MEGABYTE


def _zeros(size: int) -> Iterator[bytes]:
    piece = bytes(MEGABYTE)
    for _ in range(size // MEGABYTE):
        yield piece


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, tenantry.emulator; sys.exit(len({'uvicorn', 'starlette', 'sqlite3'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "tenantry.emulator.server")

    with pytest.raises(ImportError, match=r"uvicorn is missing.*tenantry\[emulator\]"):
        tenantry.emulator.Emulator  # noqa: B018
