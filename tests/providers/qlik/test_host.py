from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.providers.qlik import Host, UnexpectedResponse
from tenantry.providers.qlik.testing import Reply
from tests.providers.qlik.conftest import TENANT, MakeHarness

PATCH = [{"op": "replace", "path": "/name", "value": "Sales"}]


@pytest.mark.parametrize(
    ("send", "method", "body"),
    [
        (lambda host: host.get("/api/v1/x"), "GET", b""),
        (lambda host: host.post("/api/v1/x"), "POST", b""),
        (lambda host: host.post("/api/v1/x", {}), "POST", b"{}"),
        (
            lambda host: host.post("/api/v1/x", {"name": "Größe"}),
            "POST",
            b'{"name": "Gr\\u00f6\\u00dfe"}',
        ),
        (lambda host: host.put("/api/v1/x", {"a": None}), "PUT", b'{"a": null}'),
        (
            lambda host: host.patch("/api/v1/x", PATCH),
            "PATCH",
            b'[{"op": "replace", "path": "/name", "value": "Sales"}]',
        ),
        (lambda host: host.patch("/api/v1/x", []), "PATCH", b"[]"),
        (lambda host: host.delete("/api/v1/x"), "DELETE", b""),
    ],
)
def test_each_method_sends_its_body_as_json(
    make_harness: MakeHarness, send: Callable[[Host], Any], method: str, body: bytes
) -> None:
    harness = make_harness([Reply(200, {"id": "1"})])
    assert send(harness.tenant) == {"id": "1"}
    call = harness.api_calls[0]
    assert (call.method, call.host, call.path, call.params, call.body) == (
        method,
        TENANT,
        "/api/v1/x",
        {},
        body,
    )
    assert call.headers.get("Content-Type") == ("application/json" if body else None)
    assert call.headers["Accept"] == "application/json"
    assert call.headers["User-Agent"].startswith("tenantry/")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_each_method_sends_parameters_and_headers(make_harness: MakeHarness, method: str) -> None:
    harness = make_harness([Reply(200)])
    params = {"name": "A & B", "flag": True, "off": False, "n": 3, "unset": None, "many": ["a", "b"]}
    getattr(harness.tenant, method)("/x", params=params, headers={"qlik-confirm-hostname": TENANT})
    call = harness.api_calls[0]
    assert call.params == {
        "name": ["A & B"],
        "flag": ["true"],
        "off": ["false"],
        "n": ["3"],
        "many": ["a", "b"],
    }
    assert call.headers["Qlik-Confirm-Hostname"] == TENANT


@pytest.mark.parametrize("reply", [Reply(204), Reply(200, content=b""), Reply(201, content=b" \n")], ids=str)
def test_an_empty_response_body_is_none(make_harness: MakeHarness, reply: Reply) -> None:
    assert make_harness([reply]).tenant.patch("/x", PATCH) is None


@pytest.mark.parametrize("content", [b"<html>hi</html>", b'{"id": "1", "na', b"\xff\xfe"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_response_without_json_is_an_error(make_harness: MakeHarness, method: str, content: bytes) -> None:
    with pytest.raises(UnexpectedResponse, match="without complete JSON") as caught:
        getattr(make_harness([Reply(200, content=content)]).tenant, method)("/x")
    assert caught.value.may_be_done is (method == "post")
    assert caught.value.__context__ is None


def test_a_path_without_a_slash_raises_value_error(make_harness: MakeHarness) -> None:
    harness = make_harness([])
    with pytest.raises(ValueError, match="slash"):
        harness.tenant.get("@example.com/x")
    assert harness.network.calls == []


def test_a_body_that_is_not_valid_json_raises_value_error(make_harness: MakeHarness) -> None:
    harness = make_harness([])
    with pytest.raises(ValueError, match="JSON"):
        harness.tenant.post("/x", {"a": float("nan")})


def test_find_returns_only_exact_matches(make_harness: MakeHarness) -> None:
    spaces = [{"name": name, "id": str(n)} for n, name in enumerate(["Sales", "sales", "Sales EU", "Sales"])]
    harness = make_harness([Reply(200, {"data": [*spaces, {"id": "no name"}]})])
    assert harness.tenant.find("/api/v1/things", "Sales", {"type": "shared"}) == [spaces[0], spaces[3]]
    assert harness.api_calls[0].params == {"name": ["Sales"], "type": ["shared"], "limit": ["100"]}


def test_find_can_use_another_key_and_search_parameter(make_harness: MakeHarness) -> None:
    harness = make_harness([Reply(200, {"data": [{"subject": "a"}, {"subject": "ab"}]})])
    assert harness.tenant.find("/api/v1/people", "a", key="subject", search="query") == [{"subject": "a"}]
    assert harness.api_calls[0].params == {"query": ["a"], "limit": ["100"]}


def test_find_searches_all_pages(make_harness: MakeHarness) -> None:
    pages = [
        Reply(200, {"data": [{"name": "ab"}], "links": {"next": {"href": "/x?next=2"}}}),
        Reply(200, {"data": [{"name": "a"}]}),
    ]
    assert make_harness(pages).tenant.find("/x", "a") == [{"name": "a"}]


@pytest.mark.parametrize(
    "location",
    [
        "/api/v1/temp-contents/abc",
        f"https://{TENANT}/api/v1/temp-contents/abc",
        f"http://{TENANT.upper()}/api/v1/temp-contents/abc",
    ],
)
def test_export_returns_the_path_of_the_content(make_harness: MakeHarness, location: str) -> None:
    harness = make_harness([Reply(201, headers={"Location": location})])
    assert harness.tenant.export("/api/v1/apps/1/export", {"NoData": True}) == "/api/v1/temp-contents/abc"
    assert (harness.api_calls[0].method, harness.api_calls[0].params) == ("POST", {"NoData": ["true"]})


def test_a_failed_export_is_repeated(make_harness: MakeHarness) -> None:
    harness = make_harness([Reply(502), Reply(201, headers={"Location": "/t/1"})])
    assert harness.tenant.export("/api/v1/apps/1/export") == "/t/1"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Location": ""},
        {"Location": "https://evil.example/t/1"},
        {"Location": "t/1"},
        {"Location": "//evil.example/t"},
        {"Location": "http://[x"},
    ],
)
def test_an_export_without_a_valid_location_is_an_error(
    make_harness: MakeHarness, headers: dict[str, str]
) -> None:
    with pytest.raises(UnexpectedResponse, match="Location"):
        make_harness([Reply(201, headers=headers)]).tenant.export("/api/v1/apps/1/export")


def test_two_host_objects_for_one_tenant_share_a_token(make_harness: MakeHarness) -> None:
    harness = make_harness(lambda call: Reply(200, {}))
    for _ in range(3):
        harness.cloud.tenant(TENANT).get("/x")
    assert len(harness.token_calls) == 1


def test_a_closed_cloud_can_be_used_again(make_harness: MakeHarness) -> None:
    harness = make_harness(lambda call: Reply(200, {}))
    harness.tenant.get("/x")
    harness.cloud.close()
    harness.cloud.close()
    assert harness.tenant.get("/x") == {}
    assert len(harness.token_calls) == 1


def test_the_representation_of_a_host_is_its_hostname(make_harness: MakeHarness) -> None:
    assert repr(make_harness([]).tenant) == f"Host('{TENANT}')"
