"""After any failure, no secret is in messages, attributes, causes, contexts, logs or notifications."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from tenantry.providers.qlik import Cloud, QlikError
from tenantry.providers.qlik.testing import FakeClock
from tests.providers.qlik.conftest import TENANT, MakeWire, error_body
from tests.providers.qlik.secrecy import all_text, chain
from tests.providers.qlik.test_transport import cut_in_response, reset
from tests.providers.qlik.wire import Exchange, Wire

SECRET = "client-secret-value"
TOKEN = "the-access-token"
LICENCE = "licence-key-value"


def echo(status: int) -> Callable[[Exchange], None]:
    """Return a script that responds with an error which repeats the whole request."""

    def script(exchange: Exchange) -> None:
        sent = f"{exchange.body.decode()} {exchange.headers}"
        exchange.respond(status, error_body("ECHO", sent, detail=sent, meta={"title": sent}))

    return script


FAILURES: list[Any] = [
    *[pytest.param(echo(status), id=f"echo-{status}") for status in [400, 401, 403, 404, 409, 412, 429, 500]],
    pytest.param(Exchange.cut, id="cut"),
    pytest.param(reset, id="reset"),
    pytest.param(cut_in_response, id="cut-in-response"),
    pytest.param(Exchange.wait, id="silence"),
    pytest.param(lambda exchange: exchange.respond(200, b"<html>"), id="html"),
    pytest.param(lambda exchange: exchange.respond(302, Location="https://evil.example/"), id="redirect"),
]


@pytest.mark.parametrize("own_tokens", [False, True], ids=["request", "token"])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("script", FAILURES)
def test_a_failed_request_reveals_no_secret(
    script: Callable[[Exchange], None], method: str, own_tokens: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    notifications: list[str] = []
    with Wire(script, own_tokens=own_tokens) as wire:
        environ = {
            "QLIK_CLIENT_ID": "client-id-value",
            "QLIK_CLIENT_SECRET": SECRET,
            "QLIK_CLOUD_ENDPOINT": wire.url,
            "TENANTRY_REQUEST_TIMEOUT": "0.1",
            "TENANTRY_DEADLINE": "45",
        }
        body = {} if method == "get" else {"json": {"licenseKey": LICENCE}}
        with (
            Cloud(environ, clock=FakeClock(), notify=notifications.append) as cloud,
            pytest.raises(QlikError) as caught,
        ):
            getattr(cloud.tenant(TENANT), method)("/api/v1/tenants", **body)
        for error in chain(caught.value):
            assert isinstance(error, QlikError), f"{error!r} may hold the request"
        text = all_text(caught.value) + "\n".join(notifications) + caplog.text + repr(cloud)
        for secret in [SECRET, TOKEN, LICENCE]:
            assert secret not in text


def test_a_refused_connection_reveals_no_secret(make_wire: MakeWire) -> None:
    with Wire(Exchange.cut) as wire:
        url = wire.url
    environ = {"QLIK_CLIENT_ID": "i", "QLIK_CLIENT_SECRET": SECRET, "QLIK_CLOUD_ENDPOINT": url}
    with Cloud(environ, clock=FakeClock()) as cloud, pytest.raises(QlikError) as caught:
        cloud.tenant(TENANT).get("/x")
    assert all(isinstance(error, QlikError) for error in chain(caught.value))
    assert SECRET not in all_text(caught.value)
