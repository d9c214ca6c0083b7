"""Spaces and the roles of their members."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, error, new_tenant


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def create_space(tenant: Api, name: str = "Sales", kind: str = "shared", expect: int = 201) -> Any:
    return tenant.post("/api/v1/spaces", {"name": name, "type": kind}, expect=expect)


def create_user(tenant: Api, subject: str = "ada") -> str:
    return str(tenant.post("/api/v1/users", {"subject": subject, "status": "active"})["id"])


def assign(
    tenant: Api, space: str, assignee: str, roles: list[str], kind: str = "user", expect: int = 201
) -> Any:
    body = {"type": kind, "assigneeId": assignee, "roles": roles}
    return tenant.post(f"/api/v1/spaces/{space}/assignments", body, expect=expect)


def test_a_name_is_unique_across_types_and_case_sensitive(tenant: Api) -> None:
    create_space(tenant, "Sales", "shared")
    create_space(tenant, "Sales", "managed", expect=409)
    other = create_space(tenant, "sales", "managed")
    body = [{"op": "replace", "path": "/name", "value": "Sales"}]
    assert tenant.send("PATCH", f"/api/v1/spaces/{other['id']}", json=body).status_code == 409


@pytest.mark.parametrize("name", ["", "a/b", "a|b", "x" * 257, 'say "hi"'])
def test_bad_names_are_refused_by_post_put_and_patch(tenant: Api, name: str) -> None:
    create_space(tenant, name, expect=400)
    space = create_space(tenant, "Good")["id"]
    tenant.put(f"/api/v1/spaces/{space}", {"name": name}, expect=400)
    tenant.patch(f"/api/v1/spaces/{space}", {"/name": name}, expect=400)


def test_the_search_finds_substrings_and_pages_by_ten(tenant: Api) -> None:
    for number in range(12):
        create_space(tenant, f"Sales {number:02}")
    create_space(tenant, "Other")
    first = tenant.get("/api/v1/spaces?name=SALES")
    assert len(first["data"]) == 10
    assert first["meta"]["count"] == 12
    assert first["links"]["next"]["href"].startswith(f"https://{tenant.host}/api/v1/spaces?")
    names = [space["name"] for space in tenant.everything("/api/v1/spaces?name=SALES&limit=5")]
    assert names == [f"Sales {number:02}" for number in range(12)]


def test_pages_stay_correct_while_entries_are_created_and_deleted(tenant: Api) -> None:
    ids = {name: create_space(tenant, name)["id"] for name in "abcdef"}
    first = tenant.get("/api/v1/spaces?limit=3")
    create_space(tenant, "aa")
    tenant.delete(f"/api/v1/spaces/{ids['b']}")
    second = tenant.get("/" + first["links"]["next"]["href"].split("/", 3)[3])
    assert [space["name"] for space in second["data"]] == ["d", "e", "f"]
    back = tenant.get("/" + second["links"]["prev"]["href"].split("/", 3)[3])
    assert [space["name"] for space in back["data"]] == ["a", "aa", "c"]


def test_paging_also_goes_back_in_descending_order(tenant: Api) -> None:
    for name in "abcde":
        create_space(tenant, name)
    first = tenant.get("/api/v1/spaces?limit=2&sort=-name")
    second = tenant.get("/" + first["links"]["next"]["href"].split("/", 3)[3])
    back = tenant.get("/" + second["links"]["prev"]["href"].split("/", 3)[3])
    assert [[space["name"] for space in page["data"]] for page in (first, second, back)] == [
        ["e", "d"],
        ["c", "b"],
        ["e", "d"],
    ]


def test_a_space_with_a_soft_deleted_app_can_be_deleted(qlik: Emulator, tenant: Api) -> None:
    space = create_space(tenant)["id"]
    app = tenant.post("/api/v1/apps/import", data=b"x", params={"spaceId": space}, expect=200)["attributes"][
        "id"
    ]
    qlik.control.advance(3600)
    tenant.delete(f"/api/v1/apps/{app}", expect=200)
    tenant.delete(f"/api/v1/spaces/{space}")


def test_the_type_cannot_be_changed(tenant: Api) -> None:
    space = create_space(tenant)["id"]
    tenant.put(f"/api/v1/spaces/{space}", {"name": "New", "type": "managed"}, expect=400)
    tenant.patch(f"/api/v1/spaces/{space}", {"/type": "managed"}, expect=400)


def test_a_change_of_a_space_returns_the_space(tenant: Api) -> None:
    space = create_space(tenant)
    body = [{"op": "replace", "path": "/description", "value": "For all"}]
    response = tenant.send("PATCH", f"/api/v1/spaces/{space['id']}", json=body)
    assert response.status_code == 200
    assert response.json()["description"] == "For all"
    other = create_user(tenant)
    assert tenant.put(f"/api/v1/spaces/{space['id']}", {"ownerId": other})["ownerId"] == other
    tenant.put(f"/api/v1/spaces/{space['id']}", {"ownerId": "nobody"}, expect=400)


def test_a_space_with_an_app_is_not_deleted(tenant: Api) -> None:
    space = create_space(tenant)["id"]
    app = tenant.post("/api/v1/apps/import", data=b"x", params={"spaceId": space}, expect=200)["attributes"][
        "id"
    ]
    tenant.delete(f"/api/v1/spaces/{space}", expect=412)
    tenant.delete(f"/api/v1/apps/{app}", expect=200)
    tenant.delete(f"/api/v1/spaces/{space}")
    tenant.get(f"/api/v1/spaces/{space}", expect=404)


@pytest.mark.parametrize("kind", ["shared", "managed", "data"])
def test_roles_must_fit_the_type_of_space(tenant: Api, kind: str) -> None:
    space = create_space(tenant, kind=kind)
    known = space["meta"]["assignableRoles"]
    assert assign(tenant, space["id"], create_user(tenant), known)["roles"] == known
    invalid = {"shared": "publisher", "managed": "producer", "data": "contributor"}[kind]
    assign(tenant, space["id"], create_user(tenant, "bob"), [invalid], expect=400)
    assign(tenant, space["id"], create_user(tenant, "eve"), [], expect=400)


def test_an_assignee_has_at_most_one_assignment_per_space(tenant: Api) -> None:
    space, ada = create_space(tenant)["id"], create_user(tenant)
    first = assign(tenant, space, ada, ["consumer"])
    conflict = assign(tenant, space, ada, ["producer"], expect=409)
    assert error(conflict)["code"] == "AssignmentConflict"
    path = f"/api/v1/spaces/{space}/assignments/{first['id']}"
    assert tenant.put(path, {"roles": ["producer"]})["roles"] == ["producer"]
    tenant.delete(path)
    tenant.get(path, expect=404)
    assign(tenant, space, ada, ["consumer"])


def test_assignees_must_exist_and_their_deletion_deletes_assignments(tenant: Api) -> None:
    space = create_space(tenant)["id"]
    ada, group = create_user(tenant), tenant.post("/api/v1/groups", {"name": "Analysts"})["id"]
    assign(tenant, space, "nobody", ["consumer"], expect=400)
    assign(tenant, space, ada, ["consumer"], kind="group", expect=400)
    assign(tenant, space, ada, ["consumer"])
    assign(tenant, space, group, ["consumer"], kind="group")
    tenant.delete(f"/api/v1/users/{ada}")
    tenant.delete(f"/api/v1/groups/{group}")
    assert tenant.everything(f"/api/v1/spaces/{space}/assignments") == []


def test_assignments_can_be_filtered_and_never_show_the_owner(tenant: Api) -> None:
    space = create_space(tenant)["id"]
    for number in range(11):
        assign(tenant, space, create_user(tenant, f"u{number}"), ["consumer"])
    ada = create_user(tenant)
    mine = assign(tenant, space, ada, ["consumer"])
    path = f"/api/v1/spaces/{space}/assignments"
    assert len(tenant.get(path)["data"]) == 10
    assert len(tenant.everything(path)) == 12
    assert tenant.get(f"{path}?assigneeId={ada}")["data"] == [mine]
    assert tenant.get(f"{path}?type=group")["data"] == []


def test_a_member_through_a_group_sees_the_space(qlik: Emulator, tenant: Api) -> None:
    hidden = create_space(tenant, "Hidden")["id"]
    visible = create_space(tenant, "Shown")["id"]
    group = tenant.post("/api/v1/groups", {"name": "Staff", "providerType": "custom"})["id"]
    assign(tenant, visible, group, ["consumer"], kind="group")
    bot = tenant.send("GET", "/api/v1/users/me").headers["location"]
    changes = [
        {"op": "add", "path": "/assignedGroups/-", "value": group},
        {"op": "replace", "path": "/assignedRoles", "value": []},
    ]
    owner = create_user(tenant, "owner")
    for space in (hidden, visible):
        tenant.put(f"/api/v1/spaces/{space}", {"ownerId": owner})
    qlik.request("PATCH", tenant.host, bot, changes)
    assert [space["name"] for space in tenant.everything("/api/v1/spaces")] == ["Shown"]
    tenant.get(f"/api/v1/spaces/{hidden}", expect=404)
    tenant.put(f"/api/v1/spaces/{visible}", {"name": "Mine"}, expect=403)


def test_a_member_who_becomes_the_owner_is_no_longer_listed(tenant: Api) -> None:
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"}, expect=201)
    path = f"/api/v1/spaces/{space['id']}"
    body = {"subject": "a|b", "status": "active"}
    grace = tenant.post("/api/v1/users", body, expect=201)["id"]
    member = {"type": "user", "assigneeId": grace, "roles": ["producer"]}
    tenant.post(f"{path}/assignments", member, expect=201)
    assert len(tenant.get(f"{path}/assignments")["data"]) == 1
    tenant.patch(path, {"/ownerId": grace}, expect=200)
    assert tenant.get(f"{path}/assignments")["data"] == []
    assert tenant.get(f"{path}/assignments", params={"assigneeId": grace})["data"] == []
