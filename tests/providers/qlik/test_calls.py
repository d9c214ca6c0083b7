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
    AnswerLost,
    ApiError,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    QlikError,
    ServerError,
    calls,
)
from tenantry.providers.qlik.testing import Call, Reply
from tests.providers.qlik.conftest import MakeSky, Sky, failed

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


def ask(sky: Sky, method: str, options: dict[str, Any]) -> Any:
    return getattr(sky.tenant, method)(PATH, **options)


@safe
@pytest.mark.parametrize("failure", [failed(500), failed(503), BROKEN, SILENT, REFUSED], ids=repr)
def test_repeated_where_it_is_safe(
    make_sky: MakeSky, method: str, options: dict[str, Any], failure: Any
) -> None:
    sky = make_sky([failure, failure, failure, OK])
    assert ask(sky, method, options) == {"id": "1"}
    assert len(sky.clock.slept) == 3
    assert len(sky.told) == 3


@safe
@pytest.mark.parametrize(
    ("failure", "kind"), [(failed(502), ServerError), (BROKEN, ConnectionFailed), (UNKNOWN, ConnectionFailed)]
)
def test_four_tries_at_most(
    make_sky: MakeSky, method: str, options: dict[str, Any], failure: Any, kind: type[QlikError]
) -> None:
    sky = make_sky([failure] * 4)
    with pytest.raises(kind):
        ask(sky, method, options)
    assert len(sky.asked) == 4


@unsafe
@pytest.mark.parametrize("failure", [BROKEN, SILENT], ids=repr)
def test_a_lost_answer_is_said_to_be_one(
    make_sky: MakeSky, method: str, options: dict[str, Any], failure: Exception
) -> None:
    sky = make_sky([failure])
    with pytest.raises(AnswerLost, match="may or may not") as caught:
        ask(sky, method, options)
    assert caught.value.may_be_done
    assert (caught.value.method, caught.value.path) == (method.upper(), PATH)
    assert sky.clock.slept == []


@unsafe
def test_a_server_error_is_not_repeated_where_that_could_do_harm(
    make_sky: MakeSky, method: str, options: dict[str, Any]
) -> None:
    sky = make_sky([failed(500, "X-9")])
    with pytest.raises(ServerError, match="X-9") as caught:
        ask(sky, method, options)
    assert caught.value.may_be_done


@unsafe
@pytest.mark.parametrize("failure", [REFUSED, UNKNOWN, NO_CONNECTION, NO_PROXY], ids=repr)
def test_what_was_never_sent_may_be_repeated(
    make_sky: MakeSky, method: str, options: dict[str, Any], failure: Exception
) -> None:
    sky = make_sky([failure, OK])
    assert ask(sky, method, options) == {"id": "1"}
    sky = make_sky([failure] * 4)
    with pytest.raises(ConnectionFailed) as caught:
        ask(sky, method, options)
    assert not caught.value.may_be_done
    assert not caught.value.sent


@safe
def test_tls_problems_are_final(make_sky: MakeSky, method: str, options: dict[str, Any]) -> None:
    sky = make_sky([TLS])
    with pytest.raises(ConnectionFailed, match="TLS"):
        ask(sky, method, options)


@every
@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413])
def test_what_qlik_refuses_is_final(
    make_sky: MakeSky, method: str, options: dict[str, Any], status: int
) -> None:
    sky = make_sky([failed(status)])
    with pytest.raises(ApiError) as caught:
        ask(sky, method, options)
    assert caught.value.status == status
    assert sky.told == []


def test_waits_grow_and_have_full_jitter(make_sky: MakeSky, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", highest)
    sky = make_sky([BROKEN, BROKEN, BROKEN, OK])
    sky.tenant.get(PATH)
    assert drawn == [(0, 2), (0, 4), (0, 8)]
    assert sky.clock.slept == [2, 4, 8]


def test_waits_have_a_longest(make_sky: MakeSky, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as soon as there are more tries than there are today."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)
    monkeypatch.setattr(calls, "TRIES", 7)
    sky = make_sky([BROKEN] * 6 + [OK])
    sky.tenant.get(PATH)
    assert sky.clock.slept == [2, 4, 8, 16, 20, 20]


def test_retry_after_is_the_least_and_not_the_most(
    make_sky: MakeSky, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that asks for less than the back-off does not get more requests than others."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)
    sky = make_sky([failed(503, Retry_After="1"), failed(503, Retry_After="90"), OK])
    sky.tenant.get(PATH)
    assert sky.clock.slept == [2, 90]


def test_retry_after_of_a_503_is_obeyed(make_sky: MakeSky) -> None:
    sky = make_sky([failed(503, Retry_After="30"), OK])
    sky.tenant.get(PATH)
    assert sky.clock.slept == [30]


def test_the_user_is_told_what_happened(make_sky: MakeSky) -> None:
    sky = make_sky([failed(503, "X-7"), OK])
    sky.tenant.get(PATH)
    assert "503 X-7" in sky.told[0]
    assert "trying again in" in sky.told[0]
    assert "1 of 4" in sky.told[0]


def test_no_repetition_goes_beyond_the_deadline(make_sky: MakeSky) -> None:
    sky = make_sky([failed(503, "X-7", Retry_After="30")])
    with sky.cloud.deadline(20, setting="SOME_SETTING"), pytest.raises(DeadlineExceeded) as caught:
        sky.tenant.get(PATH)
    assert "503 X-7" in str(caught.value)
    assert "SOME_SETTING" in str(caught.value)
    assert sky.clock.slept == []
    assert sky.told == []


def test_nothing_is_sent_when_no_time_is_left(make_sky: MakeSky) -> None:
    sky = make_sky([OK])
    sky.tenant.get(PATH)
    with sky.cloud.deadline(10):
        sky.clock.sleep(10)
        with pytest.raises(DeadlineExceeded, match=PATH):
            sky.tenant.get(PATH)
    assert len(sky.asked) == 1


def test_an_answer_that_came_whole_in_the_last_moment_counts(make_sky: MakeSky) -> None:
    def late(call: Call) -> Reply:
        sky.clock.sleep(20)
        return OK

    sky = make_sky(late)
    with sky.cloud.deadline(10):
        assert sky.tenant.post(PATH) == {"id": "1"}


def test_the_default_deadline_is_that_of_the_settings(make_sky: MakeSky) -> None:
    sky = make_sky([failed(503, Retry_After="30")], {"TENANTRY_DEADLINE": "20"})
    with pytest.raises(DeadlineExceeded, match="TENANTRY_DEADLINE"):
        sky.tenant.get(PATH)


def test_a_repeated_delete_that_was_done_the_first_time(make_sky: MakeSky) -> None:
    sky = make_sky([BROKEN, failed(404)])
    with pytest.raises(NotFound):
        sky.tenant.delete(PATH)


def test_notify_may_be_replaced(make_sky: MakeSky) -> None:
    sky = make_sky([failed(503), OK])
    told: list[str] = []
    sky.cloud.notify = told.append
    sky.tenant.get(PATH)
    assert (len(told), sky.told) == (1, [])


def test_a_read_that_something_on_the_way_gave_up_is_repeated(make_sky: MakeSky) -> None:
    assert make_sky([failed(408), Reply(200, {"id": "1"})]).tenant.get("/x") == {"id": "1"}
    sky = make_sky([failed(408)])
    with pytest.raises(ApiError):
        sky.tenant.post("/x", {})
    assert len(sky.asked) == 1
