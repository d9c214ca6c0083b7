"""Users' sessions: the cookies of a login, and nothing else, say who asks."""

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
from tests.providers.qlik.secrecy import everything_said
from tests.providers.qlik.wire import Exchange

JOINED = (
    "eas.sid=one; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT, eas.sid.sig=two, _csrfToken=a=b; HttpOnly"
)
COOKIES = "eas.sid=one; eas.sid.sig=two; _csrfToken=a=b"


def logged_in() -> Reply:
    return Reply(200, {}, {"Set-Cookie": JOINED})


def test_the_cookies_say_who_asks_and_no_token_is_fetched(make_harness: MakeHarness) -> None:
    moved = Reply(301, content=b"<html>", headers={"Location": "/api/v1/users/7"})
    harness = make_harness([logged_in(), moved, Reply(200, {"id": "7"})])
    session = log_in(harness.tenant, "the.jwt")
    assert session.get("/api/v1/users/me") == {"id": "7"}
    login, *reads = harness.api_calls
    assert (login.method, login.path, login.body) == ("POST", "/login/jwt-session", b"")
    assert login.headers["Authorization"] == "Bearer the.jwt"
    assert [read.headers["Cookie"] for read in reads] == [COOKIES, COOKIES]
    assert not [read for read in reads if "Authorization" in read.headers]
    assert harness.token_calls == []


def test_all_but_get_carries_a_csrf_token_which_is_asked_for_once(make_harness: MakeHarness) -> None:
    token = Reply(204, headers={"qlik-csrf-token": "guarded"})
    harness = make_harness([logged_in(), token, Reply(201, {"id": "1"}), Reply(204)])
    session = log_in(harness.tenant, "the.jwt")
    session.post("/api/v1/things", {"name": "Mine"})
    session.delete("/api/v1/things/1")
    assert [(call.method, call.headers.get("qlik-csrf-token")) for call in harness.api_calls[1:]] == [
        ("GET", None),
        ("POST", "guarded"),
        ("DELETE", "guarded"),
    ]


@pytest.mark.parametrize("headers", [{}, {"Set-Cookie": "_csrfToken=x; Path=/"}])
def test_an_answer_without_session_is_none(make_harness: MakeHarness, headers: dict[str, str]) -> None:
    harness = make_harness([Reply(200, {}, headers)])
    with pytest.raises(UnexpectedResponse, match=r"without the cookie eas\.sid"):
        log_in(harness.tenant, "the.jwt")


def test_no_csrf_token_is_said(make_harness: MakeHarness) -> None:
    harness = make_harness([logged_in(), Reply(204)])
    with pytest.raises(UnexpectedResponse, match="qlik-csrf-token"):
        log_in(harness.tenant, "the.jwt").delete("/api/v1/apps/1")


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_token_is_not_tried_again_and_the_next_step_is_named(
    make_harness: MakeHarness, status: int
) -> None:
    harness = make_harness([Reply(status, error_body("LOGIN", "No."))])
    with pytest.raises(ApiError, match="issuer, key id"):
        log_in(harness.tenant, "the.jwt")
    assert len(harness.api_calls) == 1


def test_a_session_that_has_ended_is_not_taken_for_a_wrong_client(make_harness: MakeHarness) -> None:
    harness = make_harness([logged_in(), Reply(401, error_body("HTTP-401", "No."))])
    with pytest.raises(Unauthorized, match="Log in again"):
        log_in(harness.tenant, "the.jwt").get("/api/v1/items")


def test_neither_token_nor_cookies_are_said_even_if_qlik_repeats_them(make_wire: MakeWire) -> None:
    def echo(exchange: Exchange) -> None:
        if exchange.path == "/login/jwt-session" and "good" in str(exchange.headers):
            exchange.answer(200, {}, **{"Set-Cookie": "eas.sid=sid-value"})
        else:
            exchange.answer(403, error_body("ECHO", "No.", detail=f"sent {exchange.headers}"))

    wire = make_wire(echo)
    with Cloud({"QLIK_CLOUD_ENDPOINT": wire.url}) as cloud:
        with pytest.raises(Forbidden, match="sent") as caught:
            log_in(cloud.tenant(TENANT), "bad-jwt-value")
        assert "bad-jwt-value" not in everything_said(caught.value)
        session = log_in(cloud.tenant(TENANT), "good-jwt-value")
        with pytest.raises(Forbidden, match="sent") as caught:
            session.get("/api/v1/items")
        said = everything_said(caught.value) + repr(session)
        assert "sid-value" not in said
        assert "good-jwt-value" not in said


@pytest.fixture
def cloud(qlik: Emulator) -> Iterator[Cloud]:
    environ = {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
    }
    with Cloud(environ) as cloud:
        yield cloud


def user_of(cloud: Cloud) -> Session:
    """A user of the source tenant, with a provider made for it."""
    tenant = cloud.tenant("templates.eu.qlikcloud.com")
    tenant.post("/api/v1/identity-providers", logins.provider())
    return log_in(tenant, logins.token())


def test_a_user_of_the_emulated_cloud(cloud: Cloud, qlik: Emulator) -> None:
    session = user_of(cloud)
    assert session.get("/api/v1/users/me")["subject"] == "acme\\jdoe"
    assert list(session.list("/api/v1/spaces")) == []
    made = session.post("/api/v1/apps", {"attributes": {"name": "Mine"}})
    session.delete(f"/api/v1/apps/{made['attributes']['id']}")
    qlik.control.advance(3600)
    with pytest.raises(Unauthorized, match="Log in again"):
        session.get("/api/v1/users/me")


def test_two_users_and_the_client_are_three(cloud: Cloud) -> None:
    first = user_of(cloud)
    tenant = cloud.tenant("templates.eu.qlikcloud.com")
    second = log_in(tenant, logins.token(sub="acme\\other", email="other@acme.example"))
    assert [host.get("/api/v1/users/me")["subject"] for host in (first, second, tenant, first)] == [
        "acme\\jdoe",
        "acme\\other",
        "qlikbot\\demo",
        "acme\\jdoe",
    ]


def test_a_deactivated_tenant_is_told_apart(make_harness: MakeHarness) -> None:
    harness = make_harness([Reply(401, error_body("TENANT_DISABLED"))])
    with pytest.raises(TenantDisabled):
        log_in(harness.tenant, "the.jwt")
