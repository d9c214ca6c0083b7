from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.providers.qlik import Host, UnexpectedAnswer
from tenantry.providers.qlik.testing import Reply
from tests.providers.qlik.conftest import TENANT, MakeSky

PATCH = [{"op": "replace", "path": "/name", "value": "Sales"}]


@pytest.mark.parametrize(
    ("do", "method", "body"),
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
def test_what_is_sent(make_sky: MakeSky, do: Callable[[Host], Any], method: str, body: bytes) -> None:
    sky = make_sky([Reply(200, {"id": "1"})])
    assert do(sky.tenant) == {"id": "1"}
    call = sky.asked[0]
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
def test_parameters_and_headers(make_sky: MakeSky, method: str) -> None:
    sky = make_sky([Reply(200)])
    params = {"name": "A & B", "flag": True, "off": False, "n": 3, "gone": None, "many": ["a", "b"]}
    getattr(sky.tenant, method)("/x", params=params, headers={"qlik-confirm-hostname": TENANT})
    call = sky.asked[0]
    assert call.params == {
        "name": ["A & B"],
        "flag": ["true"],
        "off": ["false"],
        "n": ["3"],
        "many": ["a", "b"],
    }
    assert call.headers["Qlik-Confirm-Hostname"] == TENANT


@pytest.mark.parametrize("reply", [Reply(204), Reply(200, content=b""), Reply(201, content=b" \n")], ids=str)
def test_an_empty_body_is_none(make_sky: MakeSky, reply: Reply) -> None:
    assert make_sky([reply]).tenant.patch("/x", PATCH) is None


@pytest.mark.parametrize("content", [b"<html>hi</html>", b'{"id": "1", "na', b"\xff\xfe"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_json_where_json_belongs(make_sky: MakeSky, method: str, content: bytes) -> None:
    with pytest.raises(UnexpectedAnswer, match="without complete JSON") as caught:
        getattr(make_sky([Reply(200, content=content)]).tenant, method)("/x")
    assert caught.value.may_be_done is (method == "post")
    assert caught.value.__context__ is None


def test_a_path_without_a_slash_is_a_mistake_of_the_caller(make_sky: MakeSky) -> None:
    sky = make_sky([])
    with pytest.raises(ValueError, match="slash"):
        sky.tenant.get("@example.com/x")
    assert sky.network.calls == []


def test_json_that_is_none_is_not_sent(make_sky: MakeSky) -> None:
    sky = make_sky([])
    with pytest.raises(ValueError, match="JSON"):
        sky.tenant.post("/x", {"a": float("nan")})


def test_find_compares_exactly(make_sky: MakeSky) -> None:
    spaces = [{"name": name, "id": str(n)} for n, name in enumerate(["Sales", "sales", "Sales EU", "Sales"])]
    sky = make_sky([Reply(200, {"data": [*spaces, {"id": "no name"}]})])
    assert sky.tenant.find("/api/v1/things", "Sales", {"type": "shared"}) == [spaces[0], spaces[3]]
    assert sky.asked[0].params == {"name": ["Sales"], "type": ["shared"], "limit": ["100"]}


def test_find_by_another_key_and_search(make_sky: MakeSky) -> None:
    sky = make_sky([Reply(200, {"data": [{"subject": "a"}, {"subject": "ab"}]})])
    assert sky.tenant.find("/api/v1/people", "a", key="subject", search="query") == [{"subject": "a"}]
    assert sky.asked[0].params == {"query": ["a"], "limit": ["100"]}


def test_find_looks_at_all_pages(make_sky: MakeSky) -> None:
    pages = [
        Reply(200, {"data": [{"name": "ab"}], "links": {"next": {"href": "/x?next=2"}}}),
        Reply(200, {"data": [{"name": "a"}]}),
    ]
    assert make_sky(pages).tenant.find("/x", "a") == [{"name": "a"}]


@pytest.mark.parametrize(
    "location",
    [
        "/api/v1/temp-contents/abc",
        f"https://{TENANT}/api/v1/temp-contents/abc",
        f"http://{TENANT.upper()}/api/v1/temp-contents/abc",
    ],
)
def test_export_returns_the_path_of_the_content(make_sky: MakeSky, location: str) -> None:
    sky = make_sky([Reply(201, headers={"Location": location})])
    assert sky.tenant.export("/api/v1/apps/1/export", {"NoData": True}) == "/api/v1/temp-contents/abc"
    assert (sky.asked[0].method, sky.asked[0].params) == ("POST", {"NoData": ["true"]})


def test_export_is_repeated(make_sky: MakeSky) -> None:
    sky = make_sky([Reply(502), Reply(201, headers={"Location": "/t/1"})])
    assert sky.tenant.export("/api/v1/apps/1/export") == "/t/1"


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
def test_export_to_nowhere(make_sky: MakeSky, headers: dict[str, str]) -> None:
    with pytest.raises(UnexpectedAnswer, match="Location"):
        make_sky([Reply(201, headers=headers)]).tenant.export("/api/v1/apps/1/export")


def test_hosts_share_tokens(make_sky: MakeSky) -> None:
    sky = make_sky(lambda call: Reply(200, {}))
    for _ in range(3):
        sky.cloud.tenant(TENANT).get("/x")
    assert len(sky.token_calls) == 1


def test_a_closed_cloud_may_be_used_again(make_sky: MakeSky) -> None:
    sky = make_sky(lambda call: Reply(200, {}))
    sky.tenant.get("/x")
    sky.cloud.close()
    sky.cloud.close()
    assert sky.tenant.get("/x") == {}
    assert len(sky.token_calls) == 1


def test_representation(make_sky: MakeSky) -> None:
    assert repr(make_sky([]).tenant) == f"Host('{TENANT}')"
