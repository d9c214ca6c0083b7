"""Requests as other clients send them, over a real socket: SDKs, command lines, collections."""

from __future__ import annotations

import base64
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tenantry.emulator import Emulator
from tenantry.emulator.contract import contract
from tests.emulator.api import SOURCE, Api, error, new_tenant

FORM = {"content-type": "application/x-www-form-urlencoded"}
SPECS = Path(__file__).parents[3] / "shared" / "specs"


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def send_raw(qlik: Emulator, method: str, path: str, **options: Any) -> http.client.HTTPResponse:
    """Send one request as written. The response has its header names unchanged."""
    connection = http.client.HTTPConnection(qlik.url.removeprefix("http://"), timeout=30)
    headers = {"host": SOURCE, **options.pop("headers", {})}
    connection.request(method, path, headers=headers, **options)
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


@pytest.mark.parametrize(
    ("form", "header", "status"),
    [
        ({"grant_type": "client_credentials"}, basic("demo", "demo-secret"), 200),
        ({"grant_type": "client_credentials"}, basic("demo", "demo%2Dsecret"), 200),
        ({"grant_type": "client_credentials", "client_id": "demo"}, basic("demo", "demo-secret"), 200),
        ({"grant_type": "client_credentials", "client_id": "other"}, basic("demo", "demo-secret"), 400),
        ({"grant_type": "client_credentials"}, basic("demo", "wrong"), 401),
        ({"grant_type": "client_credentials"}, basic("demo", ""), 401),
        ({"grant_type": "client_credentials"}, {"authorization": "Basic ZGVtbw=="}, 400),
        ({"grant_type": "client_credentials"}, {"authorization": "Basic %%%"}, 400),
        ({"grant_type": "client_credentials"}, {}, 400),
    ],
)
def test_client_credentials_can_be_sent_in_http_basic(
    qlik: Emulator, form: dict[str, str], header: dict[str, str], status: int
) -> None:
    response = send_raw(qlik, "POST", "/oauth/token", body=urlencode(form), headers=FORM | header)
    assert response.status == status
    assert b"secret" not in response.body or status == 400  # type: ignore[attr-defined]
    if status == 200:
        token = json.loads(response.body)["access_token"]  # type: ignore[attr-defined]
        Api(qlik, SOURCE, token=token).get("/api/v1/spaces")


def test_errors_of_spaces_have_the_deprecated_members(source: Api) -> None:
    for body in (
        source.get("/api/v1/spaces/none", expect=404),
        source.post("/api/v1/spaces", {}, expect=400),
    ):
        entry = error(body)
        assert body["code"] == entry["code"]
        assert body["title"] == entry["title"]
        assert body.get("detail") == entry.get("detail")
    assert set(source.get("/api/v1/groups/none", expect=404)) == {"errors", "traceId"}


@pytest.mark.parametrize("value", ["True", "False", "true", "FALSE"])
def test_booleans_in_a_query_ignore_case(source: Api, value: str) -> None:
    source.get(f"/api/v1/groups?systemGroups={value}")
    source.get("/api/v1/groups?systemGroups=yes", expect=400)


@pytest.mark.parametrize("path", ["//api/v1/spaces", "/api//v1/spaces", "///api/v1///spaces"])
def test_repeated_slashes_count_as_one(qlik: Emulator, source: Api, path: str) -> None:
    response = send_raw(qlik, "GET", path, headers={"authorization": f"Bearer {source.token}"})
    assert response.status == 200
    assert qlik.control.health()["unknown"] == []


def test_header_names_are_in_title_case(qlik: Emulator, source: Api) -> None:
    responses = [
        send_raw(qlik, "GET", path, headers={"authorization": f"Bearer {source.token}"})
        for path in ("/api/v1/spaces", "/api/v1/users/me", "/api/v1/spaces/none", "/nothing")
    ]
    names = {name for response in responses for name, _ in response.getheaders()}
    assert {"Content-Type", "Content-Length", "Date", "Location"} <= names
    assert all(name == name.title() for name in names)


@pytest.mark.parametrize("path", ["/api/v1/apps/privileges", "/api/v1/items/settings", "/oauth/authorize"])
def test_an_uncovered_path_is_not_matched_as_an_id(qlik: Emulator, source: Api, path: str) -> None:
    response = source.send("GET", path)
    assert response.status_code == 501
    assert error(response.json())["code"] == "EMULATOR-NOT-COVERED"
    assert qlik.control.health()["unknown"] == [{"request": f"GET {SOURCE}{path}", "count": 1}]


def test_every_published_operation_of_an_api_is_known() -> None:
    """The contract describes it, or lists it as not described. So no fixed path is matched as an id."""
    if not SPECS.is_dir():
        pytest.skip(f"Qlik's published specifications are not at {SPECS}")
    known = {operation.api for operation in contract().operations}
    unmatched = []
    for file in sorted(SPECS.glob("*.json")):
        if file.stem not in known:
            continue
        for path, methods in json.loads(file.read_text("utf-8"))["paths"].items():
            for method in methods.keys() & {"get", "post", "put", "patch", "delete"}:
                found = contract().find(method.upper(), path)
                if found is None or found[0].path.count("{") != path.count("{"):
                    unmatched.append(f"{method.upper()} {path}")
    assert unmatched == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "a", "subject": "b", "assignedRoles": [{"id": 5}]}, "/assignedRoles/0/id"),
        ({"name": "a", "subject": "b", "assignedRoles": [{"colour": "red"}]}, "/assignedRoles/0"),
    ],
)
def test_the_error_names_a_member_that_no_alternative_allows(source: Api, body: Any, pointer: str) -> None:
    entry = error(source.post("/api/v1/users", body, expect=400))
    assert entry["source"] == {"pointer": pointer}
    assert "oneOf" not in entry["detail"]


def test_the_error_names_the_missing_member_of_a_token_request(source: Api) -> None:
    body = {"grant_type": "client_credentials", "client_id": "demo"}
    response = source.post("/oauth/token", body, expect=400)
    assert "client_secret" in error(response)["detail"]
    response = source.post("/oauth/token", body | {"client_secret": 5}, expect=400)
    assert error(response)["detail"].startswith("/client_secret: ")


def test_the_error_names_an_unknown_parameter_of_a_patch(source: Api) -> None:
    entry = error(source.patch("/api/v1/tenants/x?y=1", {"/name": "a"}, expect=400))
    assert entry["source"] == {"parameter": "y"}


def test_spaces_support_the_filter_of_older_clients(source: Api) -> None:
    def names(text: str, expect: int = 200) -> list[str]:
        found = source.get("/api/v1/spaces", params={"filter": text}, expect=expect)
        return [space["name"] for space in found.get("data", [])]

    assert names('name eq "Templates"') == ["Templates"]
    assert names('name eq "Template"') == []
    assert names('type eq "managed"') == ["Gallery"]
    assert names('name eq "Templates" and type eq "managed"') == []
    names('colour eq "red"', expect=400)
    names('name eq "', expect=400)


def tenant_with_roles(qlik: Emulator, roles: list[str]) -> tuple[Api, str, str]:
    """Create a tenant with an app that is published to another user's managed space.

    Our bot has these roles in the space. Return the tenant and the ids of the app and its published copy.
    """
    tenant = new_tenant(qlik)
    staging = tenant.post("/api/v1/spaces", {"name": "Staging", "type": "shared"})["id"]
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "managed"})["id"]
    app = tenant.post("/api/v1/apps/import", data=b"x", params={"spaceId": staging}, expect=200)
    id = app["attributes"]["id"]
    copy = tenant.post(f"/api/v1/apps/{id}/publish", {"spaceId": space}, expect=200)["attributes"]["id"]
    ada = tenant.post("/api/v1/users", {"subject": "ada", "status": "active"})["id"]
    bot = tenant.send("GET", "/api/v1/users/me").headers["location"].rsplit("/", 1)[1]
    tenant.put(f"/api/v1/spaces/{space}", {"ownerId": ada})
    tenant.put(f"/api/v1/apps/{copy}/owner", {"ownerId": ada})
    body = {"type": "user", "assigneeId": bot, "roles": roles}
    tenant.post(f"/api/v1/spaces/{space}/assignments", body)
    return tenant, id, copy


@pytest.mark.parametrize(
    ("roles", "can_publish", "can_export"),
    [
        (["facilitator"], False, True),
        (["publisher", "consumer"], True, False),
        (["contributor"], False, False),
        (["facilitator", "publisher"], True, True),
    ],
)
def test_roles_decide_who_publishes_to_and_exports_from_a_managed_space(
    qlik: Emulator, roles: list[str], can_publish: bool, can_export: bool
) -> None:
    tenant, app, copy = tenant_with_roles(qlik, roles)
    space = tenant.get("/api/v1/spaces?name=Sales")["data"][0]
    assert ("publish" in space["meta"]["actions"]) == can_publish
    status = 200 if can_publish else 403
    tenant.post(f"/api/v1/apps/{app}/publish", {"spaceId": space["id"]}, expect=status)
    body = {"targetId": copy, "checkOriginAppId": False}
    tenant.put(f"/api/v1/apps/{app}/publish", body, expect=status)
    privileges = tenant.get(f"/api/v1/apps/{copy}")["privileges"]
    assert ("export" in privileges, "exportdata" in privileges) == (can_export, False)
    tenant.post(f"/api/v1/apps/{copy}/export?NoData=true", expect=201 if can_export else 403)
    tenant.post(f"/api/v1/apps/{copy}/export", expect=403)


def test_the_owner_of_a_managed_space_publishes_and_exports_without_data(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "managed"})
    assert "publish" in space["meta"]["actions"]
    shared = tenant.post("/api/v1/spaces", {"name": "Staging", "type": "shared"})
    assert "publish" not in shared["meta"]["actions"]
    app = tenant.post("/api/v1/apps/import", data=b"x", params={"spaceId": shared["id"]}, expect=200)
    path = f"/api/v1/apps/{app['attributes']['id']}/publish"
    copy = tenant.post(path, {"spaceId": space["id"]}, expect=200)["attributes"]["id"]
    tenant.post(f"/api/v1/apps/{copy}/export", expect=403)
    tenant.post(f"/api/v1/apps/{copy}/export?NoData=True")
