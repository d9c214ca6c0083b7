"""Without an endpoint: https, with certificates that must be right. Names are resolved to loopback here."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.qlik import Cloud, ConnectionFailed
from tenantry.providers.qlik.testing import ENVIRONMENT, FakeClock
from tests.providers.qlik.conftest import TENANT
from tests.providers.qlik.wire import Exchange, Wire

x509 = pytest.importorskip("cryptography.x509")


@dataclass
class Authority:
    """A certificate for `*.eu.qlikcloud.com`, signed by itself."""

    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.eu.qlikcloud.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Authority(folder / "certificate.pem", folder / "key.pem")
    found.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return found


@contextmanager
def secure(authority: Authority) -> Iterator[Wire]:
    with Wire(lambda each: each.answer(200, {"host": each.headers["Host"]})) as wire:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate, authority.key)
        wire.socket = context.wrap_socket(wire.socket, server_side=True)
        yield wire


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Wire | None], None]:
    """Let every name lead to a server, or be unknown if there is none; nothing leaves this machine."""
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ]:
        monkeypatch.delenv(name, raising=False)

    def to(wire: Wire | None) -> None:
        def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> Any:
            if wire is None:
                raise socket.gaierror(-2, "Name or service not known")
            assert port == 443
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", wire.server_address)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return to


def ask(hostname: str = TENANT, method: str = "get", clock: FakeClock | None = None) -> Any:
    with Cloud(ENVIRONMENT, clock=clock or FakeClock()) as cloud:
        return getattr(cloud.tenant(hostname), method)("/x")


def test_with_a_certificate_that_is_trusted(
    authority: Authority, resolve: Callable[[Wire | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with secure(authority) as wire:
        resolve(wire)
        assert ask() == {"host": TENANT}
        assert wire.connections == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_certificate_of_somebody_else_is_refused_at_once(
    authority: Authority, resolve: Callable[[Wire | None], None], method: str
) -> None:
    with secure(authority) as wire:
        resolve(wire)
        clock = FakeClock()
        with pytest.raises(ConnectionFailed, match=r"TLS: .*self.signed") as caught:
            ask(method=method, clock=clock)
        assert wire.seen == []
    assert not caught.value.sent
    assert "REQUESTS_CA_BUNDLE" in str(caught.value)
    assert clock.slept == []


def test_a_certificate_for_another_name_is_refused(
    authority: Authority, resolve: Callable[[Wire | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with secure(authority) as wire:
        resolve(wire)
        with pytest.raises(ConnectionFailed, match=r"TLS: .*(match|not valid for)"):
            ask("acme.us.qlikcloud.com")
        assert wire.seen == []


def test_a_server_that_speaks_no_tls(resolve: Callable[[Wire | None], None]) -> None:
    with Wire(Exchange.cut) as wire:
        resolve(wire)
        clock = FakeClock()
        with pytest.raises(ConnectionFailed, match="TLS"):
            ask(clock=clock)
    assert clock.slept == []


def test_a_name_that_does_not_exist(resolve: Callable[[Wire | None], None]) -> None:
    resolve(None)
    clock = FakeClock()
    with pytest.raises(ConnectionFailed, match="the name cannot be resolved") as caught:
        ask(method="post", clock=clock)
    assert not caught.value.sent
    assert len(clock.slept) == 3


def test_no_password_of_netrc_is_sent(
    authority: Authority,
    resolve: Callable[[Wire | None], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "netrc").write_text(f"machine {TENANT} login somebody password something\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with secure(authority) as wire:
        resolve(wire)
        ask()
        token, used = wire.seen
    assert token.headers["Authorization"] is None
    assert used.headers["Authorization"] == "Bearer the-access-token"
