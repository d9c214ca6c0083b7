"""Bodies of error responses, as Qlik's APIs and proxies in front of them really send them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from tenantry.providers.qlik import (
    ApiError,
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    RateLimited,
    ServerError,
    TenantDisabled,
    Unauthorized,
)
from tenantry.providers.qlik.messages import Request, Response
from tenantry.providers.qlik.responses import api_error, retry_after

REQUEST = Request("POST", "acme.eu.qlikcloud.com", "/api/v1/things")
TOKEN = Request("POST", "acme.eu.qlikcloud.com", "/oauth/token", client_source="QLIK_CLIENT_ID and …")
NOW = 1_800_000_000.0


def error(
    status: int, body: Any = None, request: Request = REQUEST, headers: dict[str, str] | None = None
) -> ApiError:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return api_error(request, Response(status, CaseInsensitiveDict(headers or {}), content), NOW)


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, ApiError),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (410, NotFound),
        (412, PreconditionFailed),
        (429, RateLimited),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
    ],
)
def test_the_status_decides_the_type_of_the_error(status: int, error_type: type[ApiError]) -> None:
    assert type(error(status)) is error_type


@pytest.mark.parametrize("code", ["TENANT_DISABLED", "TENANT_DEACTIVATED"])
@pytest.mark.parametrize("request_", [REQUEST, TOKEN])
def test_a_disabled_tenant_does_not_raise_unauthorized(code: str, request_: Request) -> None:
    found = error(401, {"errors": [{"code": code, "title": "Tenant deactivated", "status": "401"}]}, request_)
    assert type(found) is TenantDisabled
    assert not isinstance(found, Unauthorized)
    assert "still exists" in str(found)
    assert "register.eu.qlikcloud.com" in str(found)
    assert "QLIK_CLIENT" not in str(found)


@pytest.mark.parametrize("status", ["409", 409, None])
def test_the_status_in_the_body_can_have_any_form(status: Any) -> None:
    entry = {"code": "A-1", "title": "Taken", "detail": "by you"} | ({"status": status} if status else {})
    found = error(409, {"errors": [entry], "traceId": "t1"})
    assert (found.code, found.title, found.detail, found.trace_id) == ("A-1", "Taken", "by you", "t1")
    assert found.status == 409


def test_an_error_repeated_at_the_top_level_is_shown_once() -> None:
    """The spaces API repeats its errors like this."""
    body = {
        "code": "S-1",
        "title": "Taken",
        "errors": [{"code": "S-1", "title": "Taken"}],
        "traceId": "t",
    }
    assert str(error(409, body)).count("Taken") == 1


def test_an_error_only_at_the_top_level_is_read() -> None:
    assert error(409, {"code": "AssignmentConflict", "title": "Taken"}).code == "AssignmentConflict"


@pytest.mark.parametrize(
    ("meta", "causes"),
    [
        (
            {"code": "TENANTS-10", "title": "subdomain length must be 3..63"},
            ("subdomain length must be 3..63",),
        ),
        ([{"title": "too short"}, {"title": "too blue"}], ("too short", "too blue")),
        ({"title": "outer", "meta": {"title": "inner"}}, ("outer", "inner")),
        ({"locale": "en"}, ()),
        (None, ()),
        ("text", ()),
    ],
)
def test_the_causes_of_tenants_10_are_shown(meta: Any, causes: tuple[str, ...]) -> None:
    entry = {"code": "TENANTS-10", "title": "Invalid PATCH request", "meta": meta}
    found = error(400, {"errors": [entry | {"source": {"pointer": "/hostnames/1"}}]})
    assert found.problems[0].causes == causes
    assert all(cause in str(found) for cause in causes)
    assert "(at /hostnames/1)" in str(found)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b'"no"',
        b"17",
        b"{}",
        b'{"errors": {}}',
        b'{"errors": [1, null]}',
        b'{"errors": []}',
    ],
)
def test_a_useless_body_causes_no_second_error(body: bytes) -> None:
    assert error(404, body).status == 404


def test_html_of_a_proxy_is_shown_as_text() -> None:
    page = b"<html><style>p {x: y}</style><title>Bad\nGateway</title><body><p>nginx</p></body></html>"
    assert "502 Bad Gateway nginx" in str(error(502, page))


def test_a_long_text_is_truncated() -> None:
    assert len(str(error(500, b"word " * 10_000))) < 1000


@pytest.mark.parametrize("name", ["X-B3-TraceId", "qlik-traceid"])
def test_the_trace_id_can_be_in_a_header(name: str) -> None:
    assert error(500, headers={name: "t9"}).trace_id == "t9"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "13"}, 13.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30.0),
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:30 GMT", "Date": "Fri, 15 Jan 2027 08:00:20 GMT"}, 10.0),
        ({"Retry-After": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(Response(429, CaseInsensitiveDict(headers)), NOW) == seconds


@pytest.mark.parametrize(
    ("status", "code", "request_", "expected"),
    [
        (403, "TENANTS-22", REQUEST, "Take down ended trials"),
        (403, "TENANTS-23", REQUEST, "licence on the source tenant"),
        (400, "TENANTS-21", REQUEST, "licence key"),
        (401, "OAUTH-1", TOKEN, "QLIK_CLIENT_ID_EU and QLIK_CLIENT_SECRET_EU"),
        (400, "OAUTH-14", TOKEN, "own region only"),
        (403, "OAUTH-2", TOKEN, "bot user is disabled"),
        (401, "X", REQUEST, "new token is refused"),
        (429, "HTTP-429", TOKEN, "TENANTRY_DEADLINE"),
        (500, "X", REQUEST, "Qlik's support"),
    ],
)
def test_each_code_has_its_advice(status: int, code: str, request_: Request, expected: str) -> None:
    assert (
        expected in str(error(status, {"errors": [{"code": code, "title": "t"}]}, request_)).splitlines()[1]
    )


@pytest.mark.parametrize(
    ("status", "operation", "expected"),
    [
        (400, "POST /api/v1/csp-origins", "256 origins"),
        (400, "PUT /api/v1/csp-origins/o", "6,144 characters"),
        (403, "POST /api/core/webhooks", "150 webhooks"),
        (400, "PATCH /api/v1/oauth-clients/c", "five redirect URIs"),
        (409, "POST /api/v1/oauth-clients/c/client-secrets", "at most five secrets"),
        (403, "POST /api/v1/tenants", "TENANTS-22"),
        (403, "POST /api/v1/tenants/t/actions/deactivate", "tenants:deactivate"),
        (403, "GET /api/core/tenants", "cloud-console.tenants:read"),
        (403, "POST /api/v1/apps/a/export", "in the template's space"),
        (403, "POST /api/v1/apps/a/publish", '"Can publish"'),
        (403, "PUT /api/v1/apps/a/publish", "own the app"),
        (403, "POST /api/v1/apps/import", "in the app's target space"),
        (403, "PUT /api/v1/apps/a/space", "cannot be moved"),
        (403, "GET /api/v1/licenses/overview", "admin_classic"),
        (403, "PUT /api/v1/licenses/settings", "role TenantAdmin"),
        (403, "POST /api/v1/spaces/s/assignments", "`facilitator`"),
        (403, "GET /api/v1/roles", "role TenantAdmin"),
        (404, "POST /api/v1/tenants/t/actions/deactivate", "tenantry forget"),
        (404, "PATCH /api/v1/tenants/t", "No tenant with this id"),
        (404, "POST /api/v1/apps/a/export", "The template is gone"),
        (404, "GET /api/v1/temp-contents/c", "repeat the export"),
        (404, "POST /api/v1/apps/import", "target space does not exist"),
        (404, "POST /api/v1/spaces/s/assignments", "pulumi up --refresh"),
        (404, "PUT /api/v1/spaces/s/assignments/a", "the assignment in it"),
        (404, "PATCH /api/v1/groups/g", "pulumi up --refresh"),
        (404, "PATCH /api/v1/spaces/s", "If somebody deleted it"),
        (404, "GET /api/v1/spaces/s", "may not see it"),
        (410, "PATCH /api/v1/spaces/s", "pulumi up --refresh"),
        (409, "POST /api/v1/spaces", "`adopt: true`"),
        (409, "POST /api/v1/spaces/s/assignments", "can have only one"),
        (409, "POST /api/v1/users", "e-mail address"),
        (409, "DELETE /api/v1/groups/g", "Remove its users"),
        (409, "PATCH /api/v1/tenants/t", "alias"),
        (409, "PATCH /api/v1/web-integrations/w", "Choose another one"),
        (409, "DELETE /api/v1/spaces/s", "Run it again"),
        (413, "POST /api/v1/groups", "Sent: JSON of 0.0 kB."),
    ],
)
def test_the_advice_matches_the_operation(status: int, operation: str, expected: str) -> None:
    method, path = operation.split()
    request = Request(method, "acme.eu.qlikcloud.com", path)
    assert expected in str(error(status, {"errors": [{"code": "X", "title": "t"}]}, request)).splitlines()[1]


def test_a_413_names_the_size_of_the_body(tmp_path: Path) -> None:
    file = tmp_path / "template.qvf"
    file.write_bytes(bytes(1_250_000))
    request = Request("POST", "acme.eu.qlikcloud.com", "/api/v1/apps/import", file=file)
    advice = str(error(413, None, request)).splitlines()[1]
    assert advice.startswith("Sent: the file template.qvf, 1.2 MB. ")
    assert "`data: false`" in advice
    file.unlink()
    assert "Sent: the file template.qvf. " in str(error(413, None, request))
    request = Request("PATCH", "acme.eu.qlikcloud.com", "/api/v1/groups/g", body=["secret" * 500])
    message = str(error(413, None, request))
    assert "Sent: JSON of 3.0 kB. " in message
    assert "secret" not in message


@pytest.mark.parametrize("status", [403, 404, 409, 413])
def test_an_error_in_the_session_of_a_user_has_no_advice_about_the_client(status: int) -> None:
    request = Request("GET", "acme.eu.qlikcloud.com", "/api/v1/apps/a", login_headers={"Cookie": "eas.sid=1"})
    assert len(str(error(status, None, request)).splitlines()) == 1


def test_the_advice_for_the_organisation_client_does_not_mention_regions() -> None:
    request = Request(
        "POST", "console.qlikcloud.com", "/oauth/token", client_source="QLIK_ORG_CLIENT_ID and …"
    )
    text = str(error(401, None, request))
    assert "QLIK_ORG_CLIENT_ID" in text
    assert "region" not in text


def test_a_secret_that_qlik_repeats_is_not_shown() -> None:
    request = Request(
        "POST", "r.eu.qlikcloud.com", "/t", body={"licenseKey": "very-private", "name": "Globex"}
    )
    body = {
        "errors": [
            {
                "code": "A very-private",
                "title": "bad very-private",
                "source": {"pointer": "/very-private"},
                "detail": "Globex very-private",
                "meta": {"title": "very-private"},
            }
        ],
        "traceId": "t very-private",
    }
    found = error(400, body, request)
    assert "very-private" not in str(found) + repr(found.__dict__)
    assert "Globex" in str(found)


def test_a_secret_at_the_end_of_a_truncated_text_is_not_shown_partially() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
    assert "eyJ" not in str(error(500, b"x" * 480 + b" " + token.encode()))


def test_qlik_may_carry_out_a_request_despite_a_408() -> None:
    """The timeout may come from a proxy. After other refusals, Qlik does nothing."""
    assert error(408).may_be_done
    assert not error(403).may_be_done
