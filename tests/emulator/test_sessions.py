"""Sessions of people: their duration, their CSRF token, and the objects that a person sees."""

from __future__ import annotations

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, error
from tests.emulator.people import login, open_tenant
from tests.logins import token


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return open_tenant(qlik)


def test_a_session_ends_after_half_an_hour_without_a_request(tenant: Api) -> None:
    person = login(tenant)
    for _ in range(3):
        tenant.qlik.control.advance(1500)
        person.me()
    tenant.qlik.control.advance(1900)
    person.get("/api/v1/users/me", expect=401)


def test_a_session_ends_after_at_most_a_day(tenant: Api) -> None:
    person = login(tenant)
    for _ in range(49):
        tenant.qlik.control.advance(1750)
        person.me()
    tenant.qlik.control.advance(1750)
    person.get("/api/v1/users/me", expect=401)


def test_a_session_ends_with_its_user(tenant: Api) -> None:
    person = login(tenant)
    tenant.delete(f"/api/v1/users/{person.me()['id']}")
    person.get("/api/v1/users/me", expect=401)
    new_person = login(tenant)
    person.get("/api/v1/users/me", expect=401)
    new_person.me()


@pytest.mark.parametrize("cookie", ["eas.sid", "eas.sid.sig"])
def test_a_session_needs_both_of_its_cookies_unchanged(tenant: Api, cookie: str) -> None:
    person = login(tenant)
    other = login(tenant)
    person.cookies[cookie] = other.cookies[cookie]
    person.get("/api/v1/users/me", expect=401)
    del person.cookies[cookie]
    person.get("/api/v1/users/me", expect=401)


def test_the_api_does_not_accept_the_jwt_as_a_token(tenant: Api) -> None:
    jwt = token()
    login(tenant, jwt)
    assert tenant.send("GET", "/api/v1/users/me", token=jwt).status_code == 401
    assert tenant.send("GET", "/api/v1/users/me", token=token()).status_code == 401


def test_all_methods_except_get_need_the_csrf_token(tenant: Api) -> None:
    person, other = login(tenant), login(tenant)
    app = {"attributes": {"name": "Mine"}}
    for headers in ({}, {"qlik-csrf-token": "guess"}, other.csrf):
        assert person.send("POST", "/api/v1/apps", json=app, headers=headers).status_code == 403
    assert person.send("POST", "/api/v1/apps", json=app, headers=person.csrf).status_code == 200
    assert person.csrf == {"qlik-csrf-token": person.cookies["_csrfToken"]}


def test_only_a_session_gets_a_csrf_token(tenant: Api) -> None:
    assert error(tenant.get("/api/v1/csrf-token", expect=400))["code"] == "CSRF-TOKEN-4"
    assert tenant.send("GET", "/api/v1/csrf-token", token="").status_code == 401
    person = login(tenant)
    del person.cookies["_csrfToken"]
    assert error(person.get("/api/v1/csrf-token", expect=404))["code"] == "CSRF-TOKEN-3"


def test_a_person_is_not_an_administrator(tenant: Api) -> None:
    person = login(tenant)
    person.get("/api/v1/identity-providers", expect=403)
    response = person.send("POST", "/api/v1/groups", json={"name": "Mine"}, headers=person.csrf)
    assert response.status_code == 403


def create_content(tenant: Api) -> dict[str, str]:
    """Create spaces and apps. Return the ids of spaces by name, and of apps by "app in space"."""
    ids = {}
    for name, kind in (("Staging", "shared"), ("Sales", "managed"), ("Board", "managed")):
        ids[name] = tenant.post("/api/v1/spaces", {"name": name, "type": kind})["id"]
    params = {"spaceId": ids["Staging"], "name": "Overview"}
    app = tenant.post("/api/v1/apps/import", data=b"x", params=params, expect=200)["attributes"]["id"]
    ids["Overview in Staging"] = app
    for space in ("Sales", "Board"):
        body = {"spaceId": ids[space]}
        copy = tenant.post(f"/api/v1/apps/{app}/publish", body, expect=200)
        ids[f"Overview in {space}"] = copy["attributes"]["id"]
    return ids


@pytest.mark.parametrize(
    ("assignee", "roles", "can_read"),
    [
        ("Analysts", ["consumer"], True),
        ("Analysts", ["basicconsumer"], True),
        ("Analysts", ["dataconsumer"], False),
        ("000000000000000000000001", ["consumer"], True),
    ],
)
def test_a_person_sees_only_the_spaces_and_apps_of_their_groups(
    tenant: Api, assignee: str, roles: list[str], can_read: bool
) -> None:
    ids = create_content(tenant)
    groups = {group["name"]: group["id"] for group in tenant.get("/api/v1/groups")["data"]}
    body = {"type": "group", "assigneeId": groups.get(assignee, assignee), "roles": roles}
    tenant.post(f"/api/v1/spaces/{ids['Sales']}/assignments", body)
    person = login(tenant)
    visible = [item["resourceId"] for item in person.get("/api/v1/items?resourceType=app")["data"]]
    assert visible == ([ids["Overview in Sales"]] if can_read else [])
    assert [space["name"] for space in person.get("/api/v1/spaces")["data"]] == ["Sales"]
    person.get(f"/api/v1/apps/{ids['Overview in Sales']}", expect=200 if can_read else 403)
    person.get(f"/api/v1/apps/{ids['Overview in Board']}", expect=403)
    person.get(f"/api/v1/apps/{ids['Overview in Staging']}", expect=403)
    person.get(f"/api/v1/spaces/{ids['Board']}", expect=404)


def test_a_person_loses_access_with_the_assignment_of_their_group(tenant: Api) -> None:
    ids = create_content(tenant)
    (group,) = tenant.get("/api/v1/groups")["data"]
    body = {"type": "group", "assigneeId": group["id"], "roles": ["consumer"]}
    created = tenant.post(f"/api/v1/spaces/{ids['Sales']}/assignments", body)
    person = login(tenant)
    assert len(person.get("/api/v1/items")["data"]) == 1
    tenant.delete(f"/api/v1/spaces/{ids['Sales']}/assignments/{created['id']}")
    assert person.get("/api/v1/items")["data"] == []


def test_cookies_and_tokens_are_never_stored(tenant: Api) -> None:
    jwt = token()
    person = login(tenant, jwt)
    stored = f"{tenant.qlik.control.dump()}{tenant.qlik.control.requests()}"
    assert not [secret for secret in (jwt, *person.cookies.values()) if secret in stored]
