from __future__ import annotations

import pytest

from tenantry.providers.qlik import (
    ApiError,
    ConnectionFailed,
    DeadlineExceeded,
    QlikError,
    ResponseLost,
)
from tenantry.providers.qlik.errors import NotFound, Problem, ServerError, UnexpectedResponse
from tenantry.providers.qlik.messages import Request

POST = Request("POST", "acme.eu.qlikcloud.com", "/api/v1/spaces?name=x", body={"name": "Sales"})
TOKEN = Request("POST", "acme.eu.qlikcloud.com", "/oauth/token", client_source="QLIK_CLIENT_ID")
GET = Request("GET", "acme.eu.qlikcloud.com", "/api/v1/spaces/1")


def test_a_message_has_everything_that_qlik_said_and_the_advice() -> None:
    problem = Problem("SPACES-1", "Cannot do it", "Because", "/name", ("too short", "too blue"))
    error = ApiError(POST, 400, [problem, Problem("B", "Also this")], trace_id="abc", advice="Do that.")
    assert str(error) == (
        "POST acme.eu.qlikcloud.com/api/v1/spaces answered 400 SPACES-1 Cannot do it: Because (at /name)"
        " [too short; too blue]; B Also this (traceId abc)\nDo that."
    )
    assert (error.method, error.host, error.path) == ("POST", "acme.eu.qlikcloud.com", "/api/v1/spaces")
    assert (error.status, error.code, error.title, error.detail) == (
        400,
        "SPACES-1",
        "Cannot do it",
        "Because",
    )
    assert error.trace_id == "abc"


def test_a_message_without_a_body_has_the_request_and_the_status() -> None:
    error = NotFound(GET, 404)
    assert str(error) == "GET acme.eu.qlikcloud.com/api/v1/spaces/1 answered 404"
    assert (error.code, error.problems) == ("", ())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ResponseLost(POST, "cut"), True),
        (ServerError(POST, 502), True),
        (ServerError(GET, 502), False),
        (UnexpectedResponse(POST, 200), True),
        (UnexpectedResponse(GET, 200), False),
        (ServerError(TOKEN, 502), False),
        (UnexpectedResponse(TOKEN, 200), False),
        (ApiError(POST, 400), False),
        (NotFound(POST, 404), False),
        (ConnectionFailed(POST, "refused", sent=False), False),
        (DeadlineExceeded(5, "a bus"), False),
    ],
    ids=repr,
)
def test_may_be_done_tells_whether_qlik_may_have_made_the_change(error: QlikError, expected: bool) -> None:
    assert error.may_be_done is expected


def test_deadline_exceeded_names_the_wait_and_the_setting() -> None:
    error = DeadlineExceeded(30, "the app to be readable", "TENANTRY_DEADLINE")
    assert "30 s" in str(error)
    assert "the app to be readable" in str(error)
    assert "TENANTRY_DEADLINE" in str(error)
    assert "to allow more" not in str(DeadlineExceeded(30, "x"))
