"""Users, groups and roles."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import SOURCE, Api, error, new_tenant

EVERYONE = "000000000000000000000001"


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def create_group(tenant: Api, name: str, expect: int = 201, **fields: Any) -> Any:
    return tenant.post("/api/v1/groups", {"name": name, **fields}, expect=expect)


def create_user(tenant: Api, subject: str, expect: int = 201, **fields: Any) -> Any:
    return tenant.post("/api/v1/users", {"subject": subject, "status": "active", **fields}, expect=expect)


def change(tenant: Api, path: str, op: str, name: str, value: Any, expect: int = 204) -> None:
    response = tenant.send("PATCH", path, json=[{"op": op, "path": name, "value": value}])
    assert response.status_code == expect, response.text


def test_a_group_name_is_unique_per_provider_type_and_case_sensitive(tenant: Api) -> None:
    created = create_group(tenant, "Analysts")
    assert created["providerType"] == "idp"
    create_group(tenant, "Analysts", expect=409)
    create_group(tenant, "analysts")
    create_group(tenant, "Analysts", providerType="custom")


def test_only_a_custom_group_can_be_renamed(tenant: Api) -> None:
    idp, custom = create_group(tenant, "Analysts"), create_group(tenant, "Staff", providerType="custom")
    tenant.patch(f"/api/v1/groups/{idp['id']}", {"/name": "New"}, expect=400)
    tenant.patch(f"/api/v1/groups/{custom['id']}", {"/name": "New", "/description": "All"})
    current = tenant.get(f"/api/v1/groups/{custom['id']}")
    assert (current["name"], current["description"]) == ("New", "All")
    other = create_group(tenant, "Other", providerType="custom")
    tenant.patch(f"/api/v1/groups/{other['id']}", {"/name": "New"}, expect=409)


@pytest.mark.parametrize("path", ["/assignedRoles", "assignedRoles"])
def test_roles_of_a_group_are_replaced_as_a_whole(tenant: Api, path: str) -> None:
    created = create_group(tenant, "Analysts", assignedRoles=[{"name": "AnalyticsAdmin"}])
    tenant.patch(f"/api/v1/groups/{created['id']}", {path: [{"name": "AuditAdmin"}, {"name": "DataAdmin"}]})
    current = tenant.get(f"/api/v1/groups/{created['id']}")
    assert [role["name"] for role in current["assignedRoles"]] == ["AuditAdmin", "DataAdmin"]
    tenant.patch(f"/api/v1/groups/{created['id']}", {path: [{"name": "auditadmin"}]}, expect=400)
    tenant.patch(f"/api/v1/groups/{created['id']}", {path: [{"name": "DataAdmin"}] * 101}, expect=400)


def test_groups_are_filtered_ignoring_case_and_paged(tenant: Api) -> None:
    for number in range(25):
        create_group(tenant, f"Team {number:02}", providerType="custom" if number % 2 else "idp")
    assert len(tenant.get("/api/v1/groups")["data"]) == 20
    assert len(tenant.everything("/api/v1/groups?limit=7")) == 25
    found = tenant.everything('/api/v1/groups?filter=name eq "TEAM 03"&totalResults=true')
    assert [entry["name"] for entry in found] == ["Team 03"]
    query = 'providerType eq "custom" and not (name co "1" or name sw "team 0")'
    body = tenant.post("/api/v1/groups/actions/filter", {"filter": query}, expect=200)
    assert [entry["name"] for entry in body["data"]] == ["Team 23"]
    for bad in ("name", 'colour eq "red"', 'name eq "a', "(name eq 1", "name is 1"):
        tenant.get("/api/v1/groups", params={"filter": bad}, expect=400)


def test_everyone_is_a_system_group_that_cannot_be_deleted(tenant: Api) -> None:
    assert tenant.everything("/api/v1/groups") == []
    assert [g["id"] for g in tenant.get("/api/v1/groups?systemGroups=true")["data"]] == [EVERYONE]
    tenant.get("/api/v1/groups?systemGroups=true&limit=5", expect=400)
    tenant.patch(f"/api/v1/groups/{EVERYONE}", {"/assignedRoles": [{"name": "Developer"}]})
    settings = tenant.get("/api/v1/groups/settings")
    assert settings["systemGroups"][EVERYONE]["assignedRoles"][0]["name"] == "Developer"
    tenant.delete(f"/api/v1/groups/{EVERYONE}", expect=404)


def test_a_patch_changes_the_group_settings(tenant: Api) -> None:
    roles = f"/systemGroups/{EVERYONE}/assignedRoles"
    tenant.patch("/api/v1/groups/settings", {"/autoCreateGroups": True, roles: [{"name": "Steward"}]})
    settings = tenant.get("/api/v1/groups/settings")
    assert (settings["autoCreateGroups"], settings["syncIdpGroups"]) == (True, False)
    assert settings["systemGroups"][EVERYONE]["assignedRoles"][0]["name"] == "Steward"
    tenant.patch("/api/v1/groups/settings", {"/autoCreateGroups": "yes"}, expect=400)
    tenant.patch("/api/v1/groups/settings", {"/systemGroups/1/assignedRoles": []}, expect=400)


def test_a_custom_group_with_users_cannot_be_deleted(tenant: Api) -> None:
    staff = create_group(tenant, "Staff", providerType="custom")["id"]
    ada = f"/api/v1/users/{create_user(tenant, 'ada')['id']}"
    change(tenant, ada, "add", "/assignedGroups/-", staff)
    change(tenant, ada, "add", "/assignedGroups/-", staff, expect=400)
    tenant.delete(f"/api/v1/groups/{staff}", expect=409)
    change(tenant, ada, "remove-value", "/assignedGroups", staff)
    tenant.delete(f"/api/v1/groups/{staff}")
    assert error(tenant.get(f"/api/v1/groups/{staff}", expect=404))["code"] == "GROUPS-7"


def test_a_subject_and_an_email_are_unique(tenant: Api) -> None:
    ada = create_user(tenant, "ada", email="ada@example.com", assignedRoles=[{"name": "TenantAdmin"}])
    create_user(tenant, "ada", expect=409)
    create_user(tenant, "bob", email="ADA@example.com", expect=409)
    bob = create_user(tenant, "bob", email="bob@example.com")
    tenant.patch(f"/api/v1/users/{bob['id']}", {"/email": "ada@example.com"}, expect=400)
    tenant.patch(f"/api/v1/users/{ada['id']}", {"/email": "Ada@example.com", "/name": "Ada"})
    tenant.patch(f"/api/v1/users/{ada['id']}", {"/subject": "eve"}, expect=400)


def test_an_invited_user_needs_an_email_and_expires(tenant: Api) -> None:
    tenant.post("/api/v1/users", {"subject": "ada"}, expect=400)
    ada = tenant.post("/api/v1/users", {"subject": "ada", "email": "ada@example.com"})
    assert ada["status"] == "invited"
    assert ada["inviteExpiry"] > 1e9


def test_roles_of_a_user_are_added_removed_and_replaced(tenant: Api) -> None:
    ada = f"/api/v1/users/{create_user(tenant, 'ada')['id']}"
    change(tenant, ada, "add", "/assignedRoles/-", {"name": "Developer"})
    change(tenant, ada, "add", "/assignedRoles/-", {"name": "Steward"})
    change(tenant, ada, "remove-value", "/assignedRoles", {"name": "Developer"})
    assert [role["name"] for role in tenant.get(ada)["assignedRoles"]] == ["Steward"]
    change(tenant, ada, "replace", "/assignedRoles", [{"name": "Nonsense"}], expect=400)
    change(tenant, ada, "add", "/assignedRoles", [{"name": "Steward"}], expect=400)


def test_users_are_found_by_filter(qlik: Emulator) -> None:
    source = Api(qlik, SOURCE).login()
    for query in ('email eq "ADA@example.com"', 'subject eq "auth0|ada" and (status eq "active")'):
        found = source.get("/api/v1/users", params={"filter": query})["data"]
        assert [entry["name"] for entry in found] == ["Ada Admin"]
    body = source.post("/api/v1/users/actions/filter", {"filter": 'name co "oauth"'}, expect=200)
    assert [entry["clientId"] for entry in body["data"]] == ["demo"]
    source.get("/api/v1/users", params={"filter": 'status co "act"'}, expect=400)
    assert source.get("/api/v1/users/actions/count") == {"total": 2}
    fields = source.get("/api/v1/users?fields=email")["data"][0]
    assert "links" not in fields


def test_users_cannot_delete_themselves(tenant: Api) -> None:
    me = tenant.send("GET", "/api/v1/users/me").headers["location"]
    tenant.delete(me, expect=400)
    ada = f"/api/v1/users/{create_user(tenant, 'ada')['id']}"
    tenant.delete(ada)
    assert error(tenant.get(ada, expect=404))["code"] == "USERS-7"


def test_custom_and_built_in_roles_are_listed_together(tenant: Api) -> None:
    created = tenant.post("/api/v1/roles", {"name": "Reader", "assignedScopes": ["apps:read"]})
    tenant.post("/api/v1/roles", {"name": "TenantAdmin"}, expect=400)
    names = [role["name"] for role in tenant.everything("/api/v1/roles?limit=5")]
    assert {"Reader", "TenantAdmin", "UserDefault"} <= set(names)
    assert names == sorted(names, key=str.casefold)
    path = f"/api/v1/roles/{created['id']}"
    change(tenant, path, "add", "/assignedScopes/-", "apps:write")
    change(tenant, path, "replace", "/name", "Writer")
    current = tenant.get(path)
    assert (current["name"], current["assignedScopes"]) == ("Writer", ["apps:read", "apps:write"])
    holder = create_group(tenant, "Writers", assignedRoles=[{"name": "Writer"}])["id"]
    tenant.delete(path, expect=403)
    tenant.delete(f"/api/v1/groups/{holder}")
    tenant.delete(path)
    assert error(tenant.get(path, expect=404))["code"] == "IDENTITIES-10402"


def test_only_the_scopes_of_the_default_role_can_change(tenant: Api) -> None:
    roles = {role["name"]: f"/api/v1/roles/{role['id']}" for role in tenant.everything("/api/v1/roles")}
    change(tenant, roles["TenantAdmin"], "replace", "/name", "Boss", expect=403)
    change(tenant, roles["UserDefault"], "replace", "/assignedScopes", ["apps:read"])
    assert tenant.get(roles["UserDefault"])["assignedScopes"] == ["apps:read"]
    tenant.delete(roles["TenantAdmin"], expect=400)
