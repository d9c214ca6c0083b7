"""Which failures are repeated, how often, and how they end."""

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

BROKEN = requests.ConnectionError(
    ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer"))
)
SILENT = requests.ReadTimeout("no answer")
REFUSED = requests.ConnectionError(
    MaxRetryError(None, "/", NewConnectionError(None, "x"))  # type: ignore[arg-type]
)
UNKNOWN = requests.ConnectionError(
    MaxRetryError(None, "/", NameResolutionError("h", None, OSError("x")))  # type: ignore[arg-type]
)
NO_CONNECTION = requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError("x")))  # type: ignore[arg-type]
NO_PROXY = requests.exceptions.ProxyError(
    MaxRetryError(None, "/", ProxyError("x", OSError()))  # type: ignore[arg-type]
)
TLS = requests.exceptions.SSLError(
    MaxRetryError(None, "/", SSLError(ssl.SSLError(1, "[SSL] wrong version")))  # type: ignore[arg-type]
)

SAFE: list[tuple[str, dict[str, Any]]] = [
    ("get", {}),
    ("put", {}),
    ("delete", {}),
    ("post", {"repeatable": True}),
    ("patch", {"repeatable": True}),
]
UNSAFE: list[tuple[str, dict[str, Any]]] = [("post", {}), ("patch", {})]

safe = pytest.mark.parametrize(("method", "options"), SAFE)
unsafe = pytest.mark.parametrize(("method", "options"), UNSAFE)
every = pytest.mark.parametrize(("method", "options"), SAFE + UNSAFE)


def ask(harness: CloudHarness, method: str, options: dict[str, Any]) -> Any:
    return getattr(harness.tenant, method)(PATH, **options)


@safe
@pytest.mark.parametrize("failure", [error_reply(500), error_reply(503), BROKEN, SILENT, REFUSED], ids=repr)
def test_repeated_where_it_is_safe(
    make_harness: MakeHarness, method: str, options: dict[str, Any], failure: Any
) -> None:
    harness = make_harness([failure, failure, failure, OK])
    assert ask(harness, method, options) == {"id": "1"}
    assert len(harness.clock.slept) == 3
    assert len(harness.notifications) == 3


@safe
@pytest.mark.parametrize(
    ("failure", "kind"),
    [(error_reply(502), ServerError), (BROKEN, ConnectionFailed), (UNKNOWN, ConnectionFailed)],
)
def test_four_tries_at_most(
    make_harness: MakeHarness, method: str, options: dict[str, Any], failure: Any, kind: type[QlikError]
) -> None:
    harness = make_harness([failure] * 4)
    with pytest.raises(kind):
        ask(harness, method, options)
    assert len(harness.api_calls) == 4


@unsafe
@pytest.mark.parametrize("failure", [BROKEN, SILENT], ids=repr)
def test_a_lost_answer_is_said_to_be_one(
    make_harness: MakeHarness, method: str, options: dict[str, Any], failure: Exception
) -> None:
    harness = make_harness([failure])
    with pytest.raises(ResponseLost, match="may or may not") as caught:
        ask(harness, method, options)
    assert caught.value.may_be_done
    assert (caught.value.method, caught.value.path) == (method.upper(), PATH)
    assert harness.clock.slept == []


@unsafe
def test_a_server_error_is_not_repeated_where_that_could_do_harm(
    make_harness: MakeHarness, method: str, options: dict[str, Any]
) -> None:
    harness = make_harness([error_reply(500, "X-9")])
    with pytest.raises(ServerError, match="X-9") as caught:
        ask(harness, method, options)
    assert caught.value.may_be_done


@unsafe
@pytest.mark.parametrize("failure", [REFUSED, UNKNOWN, NO_CONNECTION, NO_PROXY], ids=repr)
def test_what_was_never_sent_may_be_repeated(
    make_harness: MakeHarness, method: str, options: dict[str, Any], failure: Exception
) -> None:
    harness = make_harness([failure, OK])
    assert ask(harness, method, options) == {"id": "1"}
    harness = make_harness([failure] * 4)
    with pytest.raises(ConnectionFailed) as caught:
        ask(harness, method, options)
    assert not caught.value.may_be_done
    assert not caught.value.sent


@safe
def test_tls_problems_are_final(make_harness: MakeHarness, method: str, options: dict[str, Any]) -> None:
    harness = make_harness([TLS])
    with pytest.raises(ConnectionFailed, match="TLS"):
        ask(harness, method, options)


@every
@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413])
def test_what_qlik_refuses_is_final(
    make_harness: MakeHarness, method: str, options: dict[str, Any], status: int
) -> None:
    harness = make_harness([error_reply(status)])
    with pytest.raises(ApiError) as caught:
        ask(harness, method, options)
    assert caught.value.status == status
    assert harness.notifications == []


def test_waits_grow_and_have_full_jitter(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", highest)
    harness = make_harness([BROKEN, BROKEN, BROKEN, OK])
    harness.tenant.get(PATH)
    assert drawn == [(0, 2), (0, 4), (0, 8)]
    assert harness.clock.slept == [2, 4, 8]


def test_waits_have_a_longest(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as soon as there are more tries than there are today."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)
    monkeypatch.setattr(calls, "TRIES", 7)
    harness = make_harness([BROKEN] * 6 + [OK])
    harness.tenant.get(PATH)
    assert harness.clock.slept == [2, 4, 8, 16, 20, 20]


def test_retry_after_is_the_least_and_not_the_most(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that asks for less than the back-off does not get more requests than others."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)
    harness = make_harness([error_reply(503, Retry_After="1"), error_reply(503, Retry_After="90"), OK])
    harness.tenant.get(PATH)
    assert harness.clock.slept == [2, 90]


def test_retry_after_of_a_503_is_obeyed(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503, Retry_After="30"), OK])
    harness.tenant.get(PATH)
    assert harness.clock.slept == [30]


def test_the_user_is_told_what_happened(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503, "X-7"), OK])
    harness.tenant.get(PATH)
    assert "503 X-7" in harness.notifications[0]
    assert "trying again in" in harness.notifications[0]
    assert "1 of 4" in harness.notifications[0]


def test_no_repetition_goes_beyond_the_deadline(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503, "X-7", Retry_After="30")])
    with harness.cloud.deadline(20, setting="SOME_SETTING"), pytest.raises(DeadlineExceeded) as caught:
        harness.tenant.get(PATH)
    assert "503 X-7" in str(caught.value)
    assert "SOME_SETTING" in str(caught.value)
    assert harness.clock.slept == []
    assert harness.notifications == []


def test_nothing_is_sent_when_no_time_is_left(make_harness: MakeHarness) -> None:
    harness = make_harness([OK])
    harness.tenant.get(PATH)
    with harness.cloud.deadline(10):
        harness.clock.sleep(10)
        with pytest.raises(DeadlineExceeded, match=PATH):
            harness.tenant.get(PATH)
    assert len(harness.api_calls) == 1


def test_an_answer_that_came_whole_in_the_last_moment_counts(make_harness: MakeHarness) -> None:
    def late(call: Call) -> Reply:
        harness.clock.sleep(20)
        return OK

    harness = make_harness(late)
    with harness.cloud.deadline(10):
        assert harness.tenant.post(PATH) == {"id": "1"}


def test_the_default_deadline_is_that_of_the_settings(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503, Retry_After="30")], {"TENANTRY_DEADLINE": "20"})
    with pytest.raises(DeadlineExceeded, match="TENANTRY_DEADLINE"):
        harness.tenant.get(PATH)


def test_a_repeated_delete_that_was_done_the_first_time(make_harness: MakeHarness) -> None:
    harness = make_harness([BROKEN, error_reply(404)])
    with pytest.raises(NotFound):
        harness.tenant.delete(PATH)


def test_notify_may_be_replaced(make_harness: MakeHarness) -> None:
    harness = make_harness([error_reply(503), OK])
    told: list[str] = []
    harness.cloud.notify = told.append
    harness.tenant.get(PATH)
    assert (len(told), harness.notifications) == (1, [])


def test_a_read_that_something_on_the_way_gave_up_is_repeated(make_harness: MakeHarness) -> None:
    assert make_harness([error_reply(408), Reply(200, {"id": "1"})]).tenant.get("/x") == {"id": "1"}
    harness = make_harness([error_reply(408)])
    with pytest.raises(ApiError):
        harness.tenant.post("/x", {})
    assert len(harness.api_calls) == 1
