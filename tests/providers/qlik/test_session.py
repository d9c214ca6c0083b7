"""Sessions of users: only the cookies of a login identify the user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tenantry.emulator import Emulator
from tenantry.providers.qlik import (
    ApiError,
    Cloud,
    Forbidden,
    TenantDisabled,
    Unauthorized,
    UnexpectedResponse,
)
from tenantry.providers.qlik.session import Session, log_in
from tenantry.providers.qlik.testing import Reply
from tests import logins
from tests.providers.qlik.conftest import TENANT, MakeHarness, MakeWire, error_body
from tests.providers.qlik.secrecy import all_text
from tests.providers.qlik.wire import Exchange

SET_COOKIE = (
    "eas.sid=one; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT, eas.sid.sig=two, _csrfToken=a=b; HttpOnly"
)
COOKIES = "eas.sid=one; eas.sid.sig=two; _csrfToken=a=b"


def login_reply() -> Reply:
    return Reply(200, {}, {"Set-Cookie": SET_COOKIE})


def test_a_session_sends_its_cookies_and_no_access_token(make_harness: MakeHarness) -> None:
    redirect = Reply(301, content=b"<html>", headers={"Location": "/api/v1/users/7"})
    harness = make_harness([login_reply(), redirect, Reply(200, {"id": "7"})])
    session = log_in(harness.tenant, "the.jwt")
    assert session.get("/api/v1/users/me") == {"id": "7"}
    login, *reads = harness.api_calls
    assert (login.method, login.path, login.body) == ("POST", "/login/jwt-session", b"")
    assert login.headers["Authorization"] == "Bearer the.jwt"
    assert [read.headers["Cookie"] for read in reads] == [COOKIES, COOKIES]
    assert not [read for read in reads if "Authorization" in read.headers]
    assert harness.token_calls == []


def test_every_change_sends_a_csrf_token_that_is_requested_once(make_harness: MakeHarness) -> None:
    token = Reply(204, headers={"qlik-csrf-token": "csrf-value"})
    harness = make_harness([login_reply(), token, Reply(201, {"id": "1"}), Reply(204)])
    session = log_in(harness.tenant, "the.jwt")
    session.post("/api/v1/things", {"name": "Mine"})
    session.delete("/api/v1/things/1")
    assert [(call.method, call.headers.get("qlik-csrf-token")) for call in harness.api_calls[1:]] == [
        ("GET", None),
        ("POST", "csrf-value"),
        ("DELETE", "csrf-value"),
    ]


@pytest.mark.parametrize("headers", [{}, {"Set-Cookie": "_csrfToken=x; Path=/"}])
def test_a_login_without_a_session_cookie_is_an_error(
    make_harness: MakeHarness, headers: dict[str, str]
) -> None:
    harness = make_harness([Reply(200, {}, headers)])
    with pytest.raises(UnexpectedResponse, match=r"without the cookie eas\.sid"):
        log_in(harness.tenant, "the.jwt")


def test_a_missing_csrf_token_is_an_error(make_harness: MakeHarness) -> None:
    harness = make_harness([login_reply(), Reply(204)])
    with pytest.raises(UnexpectedResponse, match="qlik-csrf-token"):
        log_in(harness.tenant, "the.jwt").delete("/api/v1/apps/1")


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_jwt_is_not_repeated_and_has_advice(make_harness: MakeHarness, status: int) -> None:
    harness = make_harness([Reply(status, error_body("LOGIN", "No."))])
    with pytest.raises(ApiError, match="issuer, key id"):
        log_in(harness.tenant, "the.jwt")
    assert len(harness.api_calls) == 1


def test_an_expired_session_has_the_advice_to_log_in_again(make_harness: MakeHarness) -> None:
    harness = make_harness([login_reply(), Reply(401, error_body("HTTP-401", "No."))])
    with pytest.raises(Unauthorized, match="Log in again"):
        log_in(harness.tenant, "the.jwt").get("/api/v1/items")


def test_a_jwt_or_cookie_that_qlik_repeats_is_not_shown(make_wire: MakeWire) -> None:
    def echo(exchange: Exchange) -> None:
        if exchange.path == "/login/jwt-session" and "good" in str(exchange.headers):
            exchange.respond(200, {}, **{"Set-Cookie": "eas.sid=sid-value"})
        else:
            exchange.respond(403, error_body("ECHO", "No.", detail=f"sent {exchange.headers}"))

    wire = make_wire(echo)
    with Cloud({"QLIK_CLOUD_ENDPOINT": wire.url}) as cloud:
        with pytest.raises(Forbidden, match="sent") as caught:
            log_in(cloud.tenant(TENANT), "bad-jwt-value")
        assert "bad-jwt-value" not in all_text(caught.value)
        session = log_in(cloud.tenant(TENANT), "good-jwt-value")
        with pytest.raises(Forbidden, match="sent") as caught:
            session.get("/api/v1/items")
        text = all_text(caught.value) + repr(session)
        assert "sid-value" not in text
        assert "good-jwt-value" not in text


@pytest.fixture
def cloud(qlik: Emulator) -> Iterator[Cloud]:
    environ = {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
    }
    with Cloud(environ) as cloud:
        yield cloud


def log_in_user(cloud: Cloud) -> Session:
    """Create an identity provider in the source tenant and log a user in."""
    tenant = cloud.tenant("templates.eu.qlikcloud.com")
    tenant.post("/api/v1/identity-providers", logins.provider())
    return log_in(tenant, logins.token())


def test_a_session_works_with_the_emulator_until_it_expires(cloud: Cloud, qlik: Emulator) -> None:
    session = log_in_user(cloud)
    assert session.get("/api/v1/users/me")["subject"] == "acme\\jdoe"
    assert list(session.list("/api/v1/spaces")) == []
    app = session.post("/api/v1/apps", {"attributes": {"name": "Mine"}})
    session.delete(f"/api/v1/apps/{app['attributes']['id']}")
    qlik.control.advance(3600)
    with pytest.raises(Unauthorized, match="Log in again"):
        session.get("/api/v1/users/me")


def test_two_sessions_and_the_client_have_different_users(cloud: Cloud) -> None:
    first = log_in_user(cloud)
    tenant = cloud.tenant("templates.eu.qlikcloud.com")
    second = log_in(tenant, logins.token(sub="acme\\other", email="other@acme.example"))
    assert [host.get("/api/v1/users/me")["subject"] for host in (first, second, tenant, first)] == [
        "acme\\jdoe",
        "acme\\other",
        "qlikbot\\demo",
        "acme\\jdoe",
    ]


def test_a_login_to_a_deactivated_tenant_raises_tenant_disabled(make_harness: MakeHarness) -> None:
    harness = make_harness([Reply(401, error_body("TENANT_DISABLED"))])
    with pytest.raises(TenantDisabled):
        log_in(harness.tenant, "the.jwt")
