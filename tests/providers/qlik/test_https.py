"""HTTPS with valid certificates, which the client requires unless it has an endpoint.

Here all names resolve to loopback.
"""

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
    """A self-signed certificate for `*.eu.qlikcloud.com`."""

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
    authority = Authority(folder / "certificate.pem", folder / "key.pem")
    authority.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    authority.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return authority


@contextmanager
def https_server(authority: Authority) -> Iterator[Wire]:
    """Run a server that responds with the host that was requested."""
    with Wire(lambda exchange: exchange.respond(200, {"host": exchange.headers["Host"]})) as wire:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate, authority.key)
        wire.socket = context.wrap_socket(wire.socket, server_side=True)
        yield wire


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Wire | None], None]:
    """Return a function that resolves every name to a server, or to nothing for None.

    So no request leaves this machine.
    """
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ]:
        monkeypatch.delenv(name, raising=False)

    def resolve(wire: Wire | None) -> None:
        def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> Any:
            if wire is None:
                raise socket.gaierror(-2, "Name or service not known")
            assert port == 443
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", wire.server_address)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return resolve


def send(hostname: str = TENANT, method: str = "get", clock: FakeClock | None = None) -> Any:
    with Cloud(ENVIRONMENT, clock=clock or FakeClock()) as cloud:
        return getattr(cloud.tenant(hostname), method)("/x")


def test_a_trusted_certificate_is_accepted(
    authority: Authority, resolve: Callable[[Wire | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with https_server(authority) as wire:
        resolve(wire)
        assert send() == {"host": TENANT}
        assert wire.connections == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_untrusted_certificate_is_refused_without_a_retry(
    authority: Authority, resolve: Callable[[Wire | None], None], method: str
) -> None:
    with https_server(authority) as wire:
        resolve(wire)
        clock = FakeClock()
        with pytest.raises(ConnectionFailed, match=r"TLS: .*self.signed") as caught:
            send(method=method, clock=clock)
        assert wire.received == []
    assert not caught.value.sent
    assert "REQUESTS_CA_BUNDLE" in str(caught.value)
    assert clock.sleeps == []


def test_a_certificate_for_another_name_is_refused(
    authority: Authority, resolve: Callable[[Wire | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with https_server(authority) as wire:
        resolve(wire)
        with pytest.raises(ConnectionFailed, match=r"TLS: .*(match|not valid for)"):
            send("acme.us.qlikcloud.com")
        assert wire.received == []


def test_a_server_without_tls_is_refused(resolve: Callable[[Wire | None], None]) -> None:
    with Wire(Exchange.cut) as wire:
        resolve(wire)
        clock = FakeClock()
        with pytest.raises(ConnectionFailed, match="TLS"):
            send(clock=clock)
    assert clock.sleeps == []


def test_a_name_that_cannot_be_resolved_is_retried(resolve: Callable[[Wire | None], None]) -> None:
    resolve(None)
    clock = FakeClock()
    with pytest.raises(ConnectionFailed, match="the name cannot be resolved") as caught:
        send(method="post", clock=clock)
    assert not caught.value.sent
    assert len(clock.sleeps) == 3


def test_a_password_from_netrc_is_not_sent(
    authority: Authority,
    resolve: Callable[[Wire | None], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "netrc").write_text(f"machine {TENANT} login somebody password something\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with https_server(authority) as wire:
        resolve(wire)
        send()
        token_request, api_request = wire.received
    assert token_request.headers["Authorization"] is None
    assert api_request.headers["Authorization"] == "Bearer the-access-token"
