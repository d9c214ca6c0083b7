"""A response with an unexpected shape is an error of one line, wherever it is read."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.qlik import ApiError, Cloud, ConnectionFailed, UnexpectedResponse, responses
from tenantry.providers.qlik.testing import ENVIRONMENT, MockTransport, Reply
from tests.providers.qlik.conftest import MakeHarness

BAD_BODIES = [
    b"",
    b"null",
    b'""',
    b"{}",
    b"[]",
    b"1",
    b"true",
    b"\xef\xbb\xbf",
    b"<html>",
    b"NaN",
    b"[" * 90_000,
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: body[:8].decode("latin-1") or "empty")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/users/me"),
        ("get", "/api/v1/tenants/me"),
        ("get", "/api/v1/apps/1"),
        ("post", "/api/v1/spaces"),
        ("post", "/api/v1/tenants"),
        ("post", "/api/v1/apps/1/publish"),
    ],
)
def test_an_unexpected_body_is_an_error(
    make_harness: MakeHarness, method: str, path: str, body: bytes
) -> None:
    harness = make_harness([Reply(200, content=body, headers={"X-B3-TraceId": "b3"})])
    with pytest.raises(UnexpectedResponse) as caught:
        getattr(harness.tenant, method)(path)
    assert f"{method.upper()} acme.eu.qlikcloud.com{path} answered 200" in str(caught.value)
    assert "(traceId b3)" in str(caught.value)
    assert caught.value.may_be_done is (method == "post")


@pytest.mark.parametrize("body", BAD_BODIES[:-1], ids=lambda body: body.decode("latin-1") or "empty")
def test_an_unexpected_entry_of_a_list_is_an_error(make_harness: MakeHarness, body: bytes) -> None:
    harness = make_harness([Reply(200, content=b'{"data": [' + (body or b"0") + b"]}")])
    with pytest.raises(UnexpectedResponse):
        list(harness.tenant.list("/api/v1/groups"))


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/api/v1/tenants/me", {"id": "t", "hostnames": [[]]}, "/hostnames/0"),
        ("/api/v1/tenants/me", {"id": "t", "hostnames": []}, "/hostnames"),
        ("/api/v1/tenants/me", {"id": "t", "hostnames": ["a.eu.example/../x"]}, "/hostnames/0"),
        ("/api/v1/users/me", {"id": "../tenants"}, "/id"),
        ("/api/v1/users/me", {"id": ".."}, "/id"),
        ("/api/v1/users/me", {"id": ""}, "/id"),
        ("/api/v1/users/me", {"id": 7}, "/id"),
        (
            "/api/v1/users/7",
            {"id": "7", "subject": "s", "assignedRoles": [{"name": None}]},
            "/assignedRoles/0/name",
        ),
        ("/api/v1/groups/settings", {"autoCreateGroups": "yes"}, "/autoCreateGroups"),
    ],
    ids=str,
)
def test_the_error_names_the_place_of_the_unexpected_value(
    make_harness: MakeHarness, path: str, body: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(UnexpectedResponse, match=f" at {pointer}"):
        make_harness([Reply(200, body)]).tenant.get(path)


def test_the_error_does_not_show_the_unexpected_value(make_harness: MakeHarness) -> None:
    with pytest.raises(UnexpectedResponse) as caught:
        make_harness([Reply(200, {"status": "ok", "trial": "s3cret-key", "valid": ""})]).tenant.get(
            "/api/v1/licenses/overview"
        )
    assert "s3cret-key" not in str(caught.value)


def test_null_in_an_optional_known_key_counts_as_absent(make_harness: MakeHarness) -> None:
    group = {"id": "1", "name": "Sales", "description": None, "unknown": None}
    found = make_harness([Reply(200, group)]).tenant.get("/api/v1/groups/1")
    assert found == {"id": "1", "name": "Sales", "unknown": None}


def test_text_with_an_unpaired_surrogate_is_an_error(make_harness: MakeHarness) -> None:
    with pytest.raises(UnexpectedResponse):
        make_harness([Reply(200, content=b'{"id": "1", "name": "\\ud800"}')]).tenant.get("/api/v1/groups/1")


@pytest.mark.parametrize("links", ["x", 1, ["x"], {"next": 1}, {"next": {"href": "http://[x?a=1"}}], ids=str)
def test_an_unexpected_link_is_an_error(make_harness: MakeHarness, links: Any) -> None:
    harness = make_harness([Reply(200, {"data": [], "links": links})])
    with pytest.raises(UnexpectedResponse, match="leads back"):
        list(harness.tenant.list("/api/v1/groups"))


def test_endless_pages_are_an_error(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenantry.providers.qlik.paging.MAX_PAGES", 5)
    pages = [Reply(200, {"data": [], "links": {"next": {"href": f"?next={n}"}}}) for n in range(6)]
    with pytest.raises(UnexpectedResponse, match="more than 5 pages"):
        list(make_harness(pages).tenant.list("/api/v1/groups"))


@pytest.mark.parametrize(
    "error", [KeyError("s3cret"), TypeError("s3cret"), IndexError("s3cret"), RecursionError()]
)
def test_any_other_unexpected_value_is_an_error_of_the_response(
    make_harness: MakeHarness, error: Exception
) -> None:
    harness = make_harness([Reply(200, {}, headers={"X-B3-TraceId": "b3"})])

    def read() -> None:
        harness.tenant.get("/x")
        raise error

    with pytest.raises(UnexpectedResponse) as caught, responses.translated_errors():
        read()
    first_line = str(caught.value).splitlines()[0]
    assert first_line.startswith(
        "GET acme.eu.qlikcloud.com/x answered 200 with a value that this program cannot use"
    )
    assert first_line.endswith("(traceId b3)")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_error_before_any_response_stays_unchanged() -> None:
    """It is a defect of this program."""
    with pytest.raises(KeyError), responses.translated_errors():
        raise KeyError("x")


def test_a_secret_in_the_code_or_trace_id_is_not_shown(make_harness: MakeHarness) -> None:
    secret = "s3cret-of-the-client"
    body = {"errors": [{"code": secret, "title": "no"}], "traceId": secret}
    with pytest.raises(ApiError) as caught:
        make_harness([Reply(400, body)]).tenant.post("/x", {"client_secret": secret})
    assert secret not in str(caught.value)
    assert secret not in (caught.value.code, caught.value.trace_id)


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX: y", "a b", "é", "", 7, None])
def test_a_token_that_cannot_be_sent_is_an_error(make_harness: MakeHarness, token: Any) -> None:
    network = MockTransport(lambda call: Reply(200, {"access_token": token}), tokens=False)
    with Cloud(ENVIRONMENT, adapter=network) as cloud, pytest.raises(UnexpectedResponse) as caught:
        cloud.tenant("acme.eu.qlikcloud.com").get("/x")
    assert "without a usable access token" in str(caught.value)


@pytest.mark.parametrize(
    "location", ["http://[x", "/a b", "//", "/\x7f", "x" * 9000, "////evil.example/x", "/é"]
)
def test_a_malformed_location_is_an_error(make_harness: MakeHarness, location: str) -> None:
    harness = make_harness([Reply(302, headers={"Location": location})])
    with pytest.raises(UnexpectedResponse) as caught:
        harness.tenant.get("/x")
    assert len(str(caught.value)) < 400


def test_a_response_that_is_too_long_is_an_error(make_harness: MakeHarness) -> None:
    with pytest.raises(ConnectionFailed, match="more than 64 MB"):
        make_harness([Reply(200, content=b"1" * (65 << 20))]).tenant.get("/x")


@pytest.mark.parametrize("status", [302, 404])
def test_only_the_beginning_of_a_long_error_is_read(make_harness: MakeHarness, status: int) -> None:
    content = b'{"errors": [{"code": "X-1"}], "more": "' + b"1" * (4 << 20) + b'"}'
    with pytest.raises(ApiError) as caught:
        make_harness([Reply(status, content=content, headers={"Location": "http://x.example/"})]).tenant.get(
            "/x"
        )
    assert len(str(caught.value)) < 1000
