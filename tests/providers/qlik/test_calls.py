"""Retries: which requests are repeated after which failures, and how often."""

from __future__ import annotations

import random
import ssl
from typing import Any

import pytest
import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
)

from tenantry.providers.qlik import (
    ApiError,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    QlikError,
    ResponseLost,
    ServerError,
    calls,
)
from tenantry.providers.qlik.testing import Call, Reply
from tests.providers.qlik.conftest import CloudHarness, MakeHarness, error_reply

OK = Reply(200, {"id": "1"})
PATH = "/api/v1/things/1"

CONNECTION_RESET = requests.ConnectionError(
    ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer"))
)
READ_TIMEOUT = requests.ReadTimeout("no answer")
CONNECTION_REFUSED = requests.ConnectionError(
    MaxRetryError(None, "/", NewConnectionError(None, "x"))  # type: ignore[arg-type]
)
NAME_NOT_RESOLVED = requests.ConnectionError(
    MaxRetryError(None, "/", NameResolutionError("h", None, OSError("x")))  # type: ignore[arg-type]
)
CONNECT_TIMEOUT = requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError("x")))  # type: ignore[arg-type]
PROXY_FAILURE = requests.exceptions.ProxyError(
    MaxRetryError(None, "/", ProxyError("x", OSError()))  # type: ignore[arg-type]
)
TLS_FAILURE = requests.exceptions.SSLError(
    MaxRetryError(None, "/", SSLError(ssl.SSLError(1, "[SSL] wrong version")))  # type: ignore[arg-type]
)

REPEATABLE: list[tuple[str, dict[str, Any]]] = [
    ("get", {}),
    ("put", {}),
    ("delete", {}),
    ("post", {"repeatable": True}),
    ("patch", {"repeatable": True}),
]
NOT_REPEATABLE: list[tuple[str, dict[str, Any]]] = [("post", {}), ("patch", {})]

repeatable = pytest.mark.parametrize(("method", "options"), REPEATABLE)
not_repeatable = pytest.mark.parametrize(("method", "options"), NOT_REPEATABLE)
every_method = pytest.mark.parametrize(("method", "options"), REPEATABLE + NOT_REPEATABLE)


def send(harness: CloudHarness, method: str, options: dict[str, Any]) -> Any:
    return getattr(harness.tenant, method)(PATH, **options)


@repeatable
@pytest.mark.parametrize(
    "failure",
    [error_reply(500), error_reply(503), CONNECTION_RESET, READ_TIMEOUT, CONNECTION_REFUSED],
    ids=repr,
)
def test_a_repeatable_request_is_repeated_after_a_failure(
    make_harness: MakeHarness, method: str, options: dict[str, Any], failure: Any
) -> None:
    harness = make_harness([failure, failure, failure, OK])
    assert send(harness, method, options) == {"id": "1"}
    assert len(harness.clock.sleeps) == 3
    assert len(harness.notifications) == 3


@repeatable
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (error_reply(502), ServerError),
        (CONNECTION_RESET, ConnectionFailed),
        (NAME_NOT_RESOLVED, ConnectionFailed),
    ],
)
def test_there_are_at_most_four_attempts(
    make_harness: MakeHarness, method: str, options: dict[str, Any], failure: Any, error: type[QlikError]
) -> None:
    harness = make_harness([failure] * 4)
    with pytest.raises(error):
        send(harness, method, options)
    assert len(harness.api_calls) == 4


@not_repeatable
@pytest.mark.parametrize("failure", [CONNECTION_RESET, READ_TIMEOUT], ids=repr)
def test_a_lost_response_raises_response_lost(
    make_harness: MakeHarness, method: str, options: dict[str, Any], failure: Exception
) -> None:
    harness = make_harness([failure])
    with pytest.raises(ResponseLost, match="may or may not") as caught:
        send(harness, method, options)
    assert caught.value.may_be_done
    assert (caught.value.method, caught.value.path) == (method.upper(), PATH)
    assert harness.clock.sleeps == []


@not_repeatable
def test_a_request_that_is_not_repeatable_is_sent_once_despite_a_server_error(
    make_harness: MakeHarness, method: str, options: dict[str, Any]
) -> None:
    harness = make_harness([error_reply(500, "X-9")])
    with pytest.raises(ServerError, match="X-9") as caught:
        send(harness, method, options)
    assert caught.value.may_be_done


@not_repeatable
@pytest.mark.parametrize(
    "failure", [CONNECTION_REFUSED, NAME_NOT_RESOLVED, CONNECT_TIMEOUT, PROXY_FAILURE], ids=repr
)
def test_a_request_that_was_never_sent_is_repeated(
    make_harness: MakeHarness, method: str, options: dict[str, Any], failure: Exception
) -> None:
    harness = make_harness([failure, OK])
    assert send(harness, method, options) == {"id": "1"}
    harness = make_harness([failure] * 4)
    with pytest.raises(ConnectionFailed) as caught:
        send(harness, method, options)
    assert not caught.value.may_be_done
    assert not caught.value.sent


@repeatable
def test_a_tls_failure_is_final(make_harness: MakeHarness, method: str, options: dict[str, Any]) -> None:
    harness = make_harness([TLS_FAILURE])
    with pytest.raises(ConnectionFailed, match="TLS"):
        send(harness, method, options)


@every_method
@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413])
def test_a_refusal_of_qlik_is_final(
    make_harness: MakeHarness, method: str, options: dict[str, Any], status: int
) -> None:
    harness = make_harness([error_reply(status)])
    with pytest.raises(ApiError) as caught:
        send(harness, method, options)
    assert caught.value.status == status
    assert harness.notifications == []


def test_waits_grow_and_have_full_jitter(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    ranges: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        ranges.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", highest)
    harness = make_harness([CONNECTION_RESET, CONNECTION_RESET, CONNECTION_RESET, OK])
    harness.tenant.get(PATH)
    assert ranges == [(0, 2), (0, 4), (0, 8)]
    assert harness.clock.sleeps == [2, 4, 8]


def test_waits_have_a_maximum(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the present number of attempts, no wait reaches the maximum."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)
    monkeypatch.setattr(calls, "TRIES", 7)
    harness = make_harness([CONNECTION_RESET] * 6 + [OK])
    harness.tenant.get(PATH)
    assert harness.clock.sleeps == [2, 4, 8, 16, 20, 20]


def test_retry_after_is_a_minimum(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that asks for less than the back-off does not get more requests than others."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)
    harness = make_harness([error_reply(503, Retry_After="1"), error_reply(503, Retry_After="90"), OK])
    harness.tenant.get(PATH)
    assert harness.clock.sleeps == [2, 90]


def test_retry_after_of_a_503_is_obeyed(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503, Retry_After="30"), OK])
    harness.tenant.get(PATH)
    assert harness.clock.sleeps == [30]


def test_a_message_names_the_failure_and_the_next_attempt(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503, "X-7"), OK])
    harness.tenant.get(PATH)
    assert "503 X-7" in harness.notifications[0]
    assert "trying again in" in harness.notifications[0]
    assert "1 of 4" in harness.notifications[0]


def test_no_retry_goes_beyond_the_deadline(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503, "X-7", Retry_After="30")])
    with harness.cloud.deadline(20, setting="SOME_SETTING"), pytest.raises(DeadlineExceeded) as caught:
        harness.tenant.get(PATH)
    assert "503 X-7" in str(caught.value)
    assert "SOME_SETTING" in str(caught.value)
    assert harness.clock.sleeps == []
    assert harness.notifications == []


def test_nothing_is_sent_after_the_deadline(make_harness: MakeHarness) -> None:
    harness = make_harness([OK])
    harness.tenant.get(PATH)
    with harness.cloud.deadline(10):
        harness.clock.sleep(10)
        with pytest.raises(DeadlineExceeded, match=PATH):
            harness.tenant.get(PATH)
    assert len(harness.api_calls) == 1


def test_a_complete_response_counts_even_after_the_deadline(make_harness: MakeHarness) -> None:
    def respond_late(call: Call) -> Reply:
        harness.clock.sleep(20)
        return OK

    harness = make_harness(respond_late)
    with harness.cloud.deadline(10):
        assert harness.tenant.post(PATH) == {"id": "1"}


def test_the_default_deadline_comes_from_the_settings(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503, Retry_After="30")], {"TENANTRY_DEADLINE": "20"})
    with pytest.raises(DeadlineExceeded, match="TENANTRY_DEADLINE"):
        harness.tenant.get(PATH)


def test_a_repeated_delete_raises_not_found_if_the_first_one_succeeded(make_harness: MakeHarness) -> None:
    harness = make_harness([CONNECTION_RESET, error_reply(404)])
    with pytest.raises(NotFound):
        harness.tenant.delete(PATH)


def test_notify_can_be_replaced(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503), OK])
    messages: list[str] = []
    harness.cloud.notify = messages.append
    harness.tenant.get(PATH)
    assert (len(messages), harness.notifications) == (1, [])


def test_a_read_that_times_out_with_a_408_is_repeated(make_harness: MakeHarness) -> None:
    assert make_harness([error_reply(408), Reply(200, {"id": "1"})]).tenant.get("/x") == {"id": "1"}
    harness = make_harness([error_reply(408)])
    with pytest.raises(ApiError):
        harness.tenant.post("/x", {})
    assert len(harness.api_calls) == 1
