from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tenantry.providers.qlik import (
    DeadlineExceeded,
    Forbidden,
    ServerError,
    TenantDisabled,
    Unauthorized,
    UnexpectedResponse,
)
from tenantry.providers.qlik.credentials import CredentialSource
from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.messages import Request, Response
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, Reply
from tenantry.providers.qlik.tokens import TokenCache
from tests.providers.qlik.conftest import TENANT, MakeHarness, error_reply

HOUR = 3600.0


def token(number: int = 1, **more: Any) -> Reply:
    return Reply(200, {"access_token": f"token-{number}", "token_type": "bearer", **more})


def numbered(**more: Any) -> Any:
    """A handler that issues token-1, token-2 … and accepts any."""
    issued = 0

    def handler(call: Call) -> Reply:
        nonlocal issued
        if call.path != "/oauth/token":
            return Reply(200, {})
        issued += 1
        return token(issued, **more)

    return handler


def test_request_for_a_token(make_harness: MakeHarness) -> None:
    harness = make_harness(numbered(expires_in=21600), tokens=False)
    harness.tenant.get("/api/v1/things")
    asked, used = harness.network.calls
    assert (asked.method, asked.host, asked.path) == ("POST", TENANT, "/oauth/token")
    assert asked.json == {
        "client_id": "test-client",
        "client_secret": "test-secret",
        "grant_type": "client_credentials",
    }
    assert "Authorization" not in asked.headers
    assert used.headers["Authorization"] == "Bearer token-1"


def test_one_token_per_host(make_harness: MakeHarness) -> None:
    harness = make_harness(
        lambda call: Reply(200, {}), {"QLIK_ORG_CLIENT_ID": "org", "QLIK_ORG_CLIENT_SECRET": "org-s"}
    )
    for host in [
        harness.tenant,
        harness.cloud.register("eu"),
        harness.cloud.organisation(),
        harness.tenant,
    ] * 2:
        host.get("/x")
    assert [call.host for call in harness.token_calls] == [
        TENANT,
        "register.eu.qlikcloud.com",
        "console.qlikcloud.com",
    ]
    for call in harness.api_calls:
        assert call.headers["Authorization"] == f"Bearer token-of-{call.host}"
    assert [call.json["client_id"] for call in harness.token_calls] == ["test-client", "test-client", "org"]


def test_each_region_has_its_client(make_harness: MakeHarness) -> None:
    harness = make_harness(
        lambda call: Reply(200, {}), {"QLIK_CLIENT_ID_US": "us", "QLIK_CLIENT_SECRET_US": "us-secret"}
    )
    harness.tenant.get("/x")
    harness.cloud.tenant("a.us.qlikcloud.com").get("/x")
    assert [call.json["client_id"] for call in harness.token_calls] == ["test-client", "us"]


@pytest.mark.parametrize(
    ("lifetime", "good_for", "gone_at"),
    [
        ({"expires_in": 21600}, 6 * HOUR - 61, 6 * HOUR - 59),
        ({"expires_in": "21600"}, 6 * HOUR - 61, 6 * HOUR - 59),
        ({"expires_in": 100}, 89, 91),
        ({"expires_at": "2027-01-15T09:00:00.000Z"}, HOUR - 61, HOUR - 59),
        ({"expires_at": "2027-01-15T09:00:00"}, HOUR - 61, HOUR - 59),
        ({"expires_at": "2027-01-15T09:00:00Z", "expires_in": 21600}, HOUR - 61, HOUR - 59),
        ({"expires_at": "2027-01-15T14:00:00Z", "expires_in": 3600}, HOUR - 61, HOUR - 59),
        ({}, HOUR - 61, HOUR - 59),
        ({"expires_in": None, "expires_at": "later"}, HOUR - 61, HOUR - 59),
        ({"expires_in": 0, "expires_at": "2000-01-01T00:00:00Z"}, HOUR - 61, HOUR - 59),
    ],
    ids=str,
)
def test_kept_until_shortly_before_it_ends(
    make_harness: MakeHarness, lifetime: dict[str, Any], good_for: float, gone_at: float
) -> None:
    harness = make_harness(numbered(**lifetime), tokens=False)
    harness.tenant.get("/x")
    harness.clock.sleep(good_for)
    harness.tenant.get("/x")
    assert len(harness.token_calls) == 1
    harness.clock.sleep(gone_at - good_for)
    harness.tenant.get("/x")
    assert len(harness.token_calls) == 2
    assert harness.api_calls[-1].headers["Authorization"] == "Bearer token-2"


def test_a_wrong_clock_here_does_not_shorten_a_token(make_harness: MakeHarness) -> None:
    def handler(call: Call) -> Reply:
        body = {"access_token": "t", "expires_at": "2020-01-01T06:00:00Z"}
        return Reply(200, body, {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"})

    harness = make_harness(handler, tokens=False)
    harness.tenant.get("/x")
    harness.clock.sleep(6 * HOUR - 61)
    harness.tenant.get("/x")
    assert len(harness.token_calls) == 1


def test_renewed_once_after_a_401(make_harness: MakeHarness) -> None:
    def handler(call: Call) -> Reply:
        if call.path == "/oauth/token":
            return token(len(harness.token_calls))
        return (
            Reply(200, {"id": "1"}) if call.headers["Authorization"] == "Bearer token-2" else error_reply(401)
        )

    harness = make_harness(handler, tokens=False)
    assert harness.tenant.post("/api/v1/things", {"name": "Sales"}) == {"id": "1"}
    assert [call.json for call in harness.api_calls] == [{"name": "Sales"}] * 2
    assert len(harness.token_calls) == 2


def test_a_second_401_is_final(make_harness: MakeHarness) -> None:
    harness = make_harness(lambda call: error_reply(401, "AUTH-1"))
    with pytest.raises(Unauthorized, match="AUTH-1"):
        harness.tenant.get("/x")
    assert len(harness.api_calls) == 2
    assert len(harness.token_calls) == 2


@pytest.mark.parametrize("code", ["TENANT_DISABLED", "TENANT_DEACTIVATED"])
def test_a_disabled_tenant_is_not_asked_twice(make_harness: MakeHarness, code: str) -> None:
    harness = make_harness(lambda call: error_reply(401, code))
    with pytest.raises(TenantDisabled):
        harness.tenant.get("/x")
    assert len(harness.api_calls) == 1


@pytest.mark.parametrize("code", ["TENANT_DISABLED", "TENANT_DEACTIVATED"])
def test_a_disabled_tenant_gives_no_token(make_harness: MakeHarness, code: str) -> None:
    harness = make_harness([error_reply(401, code)], tokens=False)
    with pytest.raises(TenantDisabled, match=code):
        harness.tenant.get("/x")


def test_a_wrong_secret_says_which_variable(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(401, "OAUTH-1")], tokens=False)
    with pytest.raises(Unauthorized, match="QLIK_CLIENT_ID and QLIK_CLIENT_SECRET") as caught:
        harness.tenant.get("/x")
    assert "test-secret" not in str(caught.value)


def test_token_answers_of_403_are_not_repeated(make_harness: MakeHarness) -> None:
    with pytest.raises(Forbidden):
        make_harness([error_reply(403)], tokens=False).tenant.get("/x")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {}),
        Reply(200, []),
        Reply(200, {"access_token": ""}),
        Reply(200, {"access_token": 7}),
        Reply(200, content=b"<html>"),
        Reply(204),
    ],
    ids=str,
)
def test_an_answer_without_a_token(make_harness: MakeHarness, reply: Reply) -> None:
    with pytest.raises(UnexpectedResponse, match="without a usable access token"):
        make_harness([reply], tokens=False).tenant.get("/x")


def test_server_errors_of_the_token_host_are_not_repeated_twice_over(make_harness: MakeHarness) -> None:
    harness = make_harness(lambda call: error_reply(503), tokens=False)
    with pytest.raises(Exception, match="503"):
        harness.tenant.get("/x")
    assert len(harness.token_calls) == 4


def test_a_failure_to_get_a_token_is_no_change(make_harness: MakeHarness) -> None:
    with pytest.raises(ServerError) as caught:
        make_harness(lambda call: error_reply(503), tokens=False).tenant.post("/api/v1/tenants", {})
    assert not caught.value.may_be_done


def test_authenticate_fetches_the_token_ahead(make_harness: MakeHarness) -> None:
    harness = make_harness(lambda call: Reply(200, {}))
    harness.tenant.authenticate()
    assert [call.path for call in harness.network.calls] == ["/oauth/token"]
    harness.tenant.get("/x")
    assert len(harness.token_calls) == 1


def test_one_fetch_for_many_threads(make_harness: MakeHarness) -> None:
    together = threading.Barrier(8)

    def handler(call: Call) -> Reply:
        return token() if call.path == "/oauth/token" else Reply(200, {})

    harness = make_harness(handler, tokens=False)

    def ask(_: int) -> None:
        together.wait(5)
        harness.tenant.get("/x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(harness.token_calls) == 1
    assert len(harness.api_calls) == 8


def test_one_renewal_for_many_threads(make_harness: MakeHarness) -> None:
    """All have their 401 before the first renews: the others do not throw away what it got."""
    refused = threading.Barrier(4)

    def handler(call: Call) -> Reply:
        if call.path == "/oauth/token":
            return token(len(harness.token_calls))
        if call.headers["Authorization"] == "Bearer token-1":
            refused.wait(5)
            return error_reply(401)
        return Reply(200, {})

    harness = make_harness(handler, tokens=False)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: harness.tenant.get("/x"), range(4)))
    assert len(harness.token_calls) == 2


def test_waiting_for_another_threads_fetch_is_bounded() -> None:
    fetching, release = threading.Event(), threading.Event()

    def slow(request: Request) -> Response:
        fetching.set()
        release.wait(5)
        return Response(200, {}, b'{"access_token": "t"}')

    tokens = TokenCache(CredentialSource(ENVIRONMENT), slow, FakeClock())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(tokens.get, TENANT, Deadline(60))
        fetching.wait(5)
        with pytest.raises(DeadlineExceeded, match="another thread"):
            tokens.get(TENANT, Deadline(0.05))
        release.set()
        assert first.result().value == "t"


def test_representations_show_no_token() -> None:
    tokens = TokenCache(
        CredentialSource(ENVIRONMENT),
        lambda _: Response(200, {}, b'{"access_token": "abc-def"}'),
        FakeClock(),
    )
    found = tokens.get(TENANT, Deadline(5))
    assert found.value == "abc-def"
    assert "abc-def" not in repr(found) + repr(tokens) + str(found)
    assert "[secure]" in repr(found)
    assert "[secure]" in repr(tokens)
