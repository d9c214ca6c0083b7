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


def token(number: int = 1, **keys: Any) -> Reply:
    """Return a response with a token."""
    return Reply(200, {"access_token": f"token-{number}", "token_type": "bearer", **keys})


def issue_tokens(**keys: Any) -> Any:
    """Return a handler that issues token-1, token-2 and so on, and accepts any token."""
    issued = 0

    def handler(call: Call) -> Reply:
        nonlocal issued
        if call.path != "/oauth/token":
            return Reply(200, {})
        issued += 1
        return token(issued, **keys)

    return handler


def test_a_token_is_requested_with_the_clients_credentials(make_harness: MakeHarness) -> None:
    harness = make_harness(issue_tokens(expires_in=21600), tokens=False)
    harness.tenant.get("/api/v1/things")
    token_call, api_call = harness.network.calls
    assert (token_call.method, token_call.host, token_call.path) == ("POST", TENANT, "/oauth/token")
    assert token_call.json == {
        "client_id": "test-client",
        "client_secret": "test-secret",
        "grant_type": "client_credentials",
    }
    assert "Authorization" not in token_call.headers
    assert api_call.headers["Authorization"] == "Bearer token-1"


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


def test_each_region_uses_its_own_client(make_harness: MakeHarness) -> None:
    harness = make_harness(
        lambda call: Reply(200, {}), {"QLIK_CLIENT_ID_US": "us", "QLIK_CLIENT_SECRET_US": "us-secret"}
    )
    harness.tenant.get("/x")
    harness.cloud.tenant("a.us.qlikcloud.com").get("/x")
    assert [call.json["client_id"] for call in harness.token_calls] == ["test-client", "us"]


@pytest.mark.parametrize(
    ("lifetime", "last_use", "renewal"),
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
def test_a_token_is_used_until_shortly_before_it_expires(
    make_harness: MakeHarness, lifetime: dict[str, Any], last_use: float, renewal: float
) -> None:
    harness = make_harness(issue_tokens(**lifetime), tokens=False)
    harness.tenant.get("/x")
    harness.clock.sleep(last_use)
    harness.tenant.get("/x")
    assert len(harness.token_calls) == 1
    harness.clock.sleep(renewal - last_use)
    harness.tenant.get("/x")
    assert len(harness.token_calls) == 2
    assert harness.api_calls[-1].headers["Authorization"] == "Bearer token-2"


def test_a_wrong_local_clock_does_not_shorten_the_use_of_a_token(make_harness: MakeHarness) -> None:
    def handler(call: Call) -> Reply:
        body = {"access_token": "t", "expires_at": "2020-01-01T06:00:00Z"}
        return Reply(200, body, {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"})

    harness = make_harness(handler, tokens=False)
    harness.tenant.get("/x")
    harness.clock.sleep(6 * HOUR - 61)
    harness.tenant.get("/x")
    assert len(harness.token_calls) == 1


def test_a_token_is_renewed_once_after_a_401(make_harness: MakeHarness) -> None:
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
def test_a_request_to_a_disabled_tenant_is_not_repeated(make_harness: MakeHarness, code: str) -> None:
    harness = make_harness(lambda call: error_reply(401, code))
    with pytest.raises(TenantDisabled):
        harness.tenant.get("/x")
    assert len(harness.api_calls) == 1


@pytest.mark.parametrize("code", ["TENANT_DISABLED", "TENANT_DEACTIVATED"])
def test_a_token_request_to_a_disabled_tenant_raises_tenant_disabled(
    make_harness: MakeHarness, code: str
) -> None:
    harness = make_harness([error_reply(401, code)], tokens=False)
    with pytest.raises(TenantDisabled, match=code):
        harness.tenant.get("/x")


def test_the_error_for_a_wrong_secret_names_the_variables(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(401, "OAUTH-1")], tokens=False)
    with pytest.raises(Unauthorized, match="QLIK_CLIENT_ID and QLIK_CLIENT_SECRET") as caught:
        harness.tenant.get("/x")
    assert "test-secret" not in str(caught.value)


def test_a_token_request_is_not_repeated_after_a_403(make_harness: MakeHarness) -> None:
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
def test_a_token_response_without_a_token_is_an_error(make_harness: MakeHarness, reply: Reply) -> None:
    with pytest.raises(UnexpectedResponse, match="without a usable access token"):
        make_harness([reply], tokens=False).tenant.get("/x")


def test_retries_of_a_token_request_do_not_multiply(make_harness: MakeHarness) -> None:
    """The request that needs the token must not repeat the four attempts."""
    harness = make_harness(lambda call: error_reply(503), tokens=False)
    with pytest.raises(Exception, match="503"):
        harness.tenant.get("/x")
    assert len(harness.token_calls) == 4


def test_after_a_failed_token_request_the_change_was_not_made(make_harness: MakeHarness) -> None:
    with pytest.raises(ServerError) as caught:
        make_harness(lambda call: error_reply(503), tokens=False).tenant.post("/api/v1/tenants", {})
    assert not caught.value.may_be_done


def test_authenticate_requests_the_token_in_advance(make_harness: MakeHarness) -> None:
    harness = make_harness(lambda call: Reply(200, {}))
    harness.tenant.authenticate()
    assert [call.path for call in harness.network.calls] == ["/oauth/token"]
    harness.tenant.get("/x")
    assert len(harness.token_calls) == 1


def test_many_threads_send_one_token_request(make_harness: MakeHarness) -> None:
    all_ready = threading.Barrier(8)

    def handler(call: Call) -> Reply:
        return token() if call.path == "/oauth/token" else Reply(200, {})

    harness = make_harness(handler, tokens=False)

    def send(_: int) -> None:
        all_ready.wait(5)
        harness.tenant.get("/x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert len(harness.token_calls) == 1
    assert len(harness.api_calls) == 8


def test_many_threads_renew_a_token_once(make_harness: MakeHarness) -> None:
    """All get a 401 before the first one renews the token. The others must not discard the new token."""
    all_refused = threading.Barrier(4)

    def handler(call: Call) -> Reply:
        if call.path == "/oauth/token":
            return token(len(harness.token_calls))
        if call.headers["Authorization"] == "Bearer token-1":
            all_refused.wait(5)
            return error_reply(401)
        return Reply(200, {})

    harness = make_harness(handler, tokens=False)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: harness.tenant.get("/x"), range(4)))
    assert len(harness.token_calls) == 2


def test_a_wait_for_the_token_request_of_another_thread_ends_at_the_deadline() -> None:
    fetching, release = threading.Event(), threading.Event()

    def fetch_slowly(request: Request) -> Response:
        fetching.set()
        release.wait(5)
        return Response(200, {}, b'{"access_token": "t"}')

    tokens = TokenCache(CredentialSource(ENVIRONMENT), fetch_slowly, FakeClock())
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
    token = tokens.get(TENANT, Deadline(5))
    assert token.value == "abc-def"
    assert "abc-def" not in repr(token) + repr(tokens) + str(token)
    assert "[secure]" in repr(token)
    assert "[secure]" in repr(tokens)
