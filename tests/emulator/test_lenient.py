"""Requests that Qlik's documents forbid, but Qlik's samples send. Each has a lenient rule that allows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tenantry.emulator import Emulator
from tenantry.emulator.settings import LENIENT_RULES
from tests.emulator.api import Api, new_tenant
from tests.emulator.people import LOGIN, open_tenant
from tests.logins import token

JSON_TEXT = b'{"name": "Sales", "type": "shared"}'
SENDERS: list[tuple[str, Callable[[Api], int]]] = []


def sends(rule: str) -> Callable[[Callable[[Api], int]], Callable[[Api], int]]:
    """Register a function that sends a request which only this rule allows, and returns its status."""

    def register(sender: Callable[[Api], int]) -> Callable[[Api], int]:
        SENDERS.append((rule, sender))
        return sender

    return register


@sends("unknown-parameters")
def unknown_parameter(tenant: Api) -> int:
    response = tenant.send("GET", "/api/v1/spaces?colour=red&limit=5")
    return response.status_code


@sends("unknown-members")
def members_at_two_levels(tenant: Api) -> int:
    roles = [{"name": "Developer", "colour": "red"}]
    body = {"subject": "ada", "status": "active", "shape": "round", "assignedRoles": roles}
    response = tenant.send("POST", "/api/v1/users", json=body)
    if response.ok:
        assert "shape" not in response.json()
        assert [role["name"] for role in response.json()["assignedRoles"]] == ["Developer"]
    return response.status_code


@sends("unknown-members")
def a_type_that_cannot_change(tenant: Api) -> int:
    space = tenant.post("/api/v1/spaces", {"name": "Fixed", "type": "shared"})
    response = tenant.send("PUT", f"/api/v1/spaces/{space['id']}", json={"name": "New", "type": "managed"})
    if response.ok:
        assert response.json()["type"] == "shared"
    return response.status_code


@sends("content-types")
def json_as_a_form(tenant: Api) -> int:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return tenant.send("POST", "/api/v1/spaces", data=JSON_TEXT, headers=headers).status_code


@sends("content-types")
def json_without_a_type(tenant: Api) -> int:
    return tenant.send("POST", "/api/v1/spaces", data=JSON_TEXT).status_code


@sends("content-types")
def part_of_a_file(tenant: Api) -> int:
    tus = {"Tus-Resumable": "1.0.0"}
    created = tenant.send("POST", "/api/v1/temp-contents/files", headers=tus | {"Upload-Length": "1"})
    headers = tus | {"Upload-Offset": "0", "Content-Type": "text/plain"}
    return tenant.send("PATCH", created.headers["location"], data=b"x", headers=headers).status_code


@sends("autoreplace")
def replacing_import(tenant: Api) -> int:
    return tenant.send("POST", "/api/v1/apps/import?mode=autoreplace", data=b"x").status_code


@sends("sub-type")
def login_without_sub_type(tenant: Api) -> int:
    return tenant.send("POST", LOGIN, token=token(subType=None)).status_code


@sends("empty-owner")
def space_without_owner(tenant: Api) -> int:
    space = tenant.post("/api/v1/spaces", {"name": "Owned", "type": "shared"})
    response = tenant.send("PUT", f"/api/v1/spaces/{space['id']}", json={"name": "New", "ownerId": ""})
    if response.ok:
        assert response.json()["ownerId"] == space["ownerId"]
    return response.status_code


@pytest.mark.parametrize(("rule", "sender"), SENDERS)
def test_each_rule_allows_its_own_request_and_no_other(
    qlik: Emulator, rule: str, sender: Callable[[Api], int]
) -> None:
    tenant = open_tenant(qlik)
    qlik.control.settings(lenient=[other for other in LENIENT_RULES if other != rule])
    assert 400 <= sender(tenant) < 500
    qlik.control.reset()
    tenant = open_tenant(qlik)
    qlik.control.settings(lenient=[rule])
    assert 200 <= sender(tenant) < 300


def test_every_rule_has_a_request_that_it_allows() -> None:
    assert {rule for rule, _ in SENDERS} == set(LENIENT_RULES)


def test_the_rule_for_empty_owners_also_applies_to_a_search(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})
    assert tenant.get("/api/v1/spaces?ownerId=")["data"] == []
    qlik.control.settings(lenient=["empty-owner"])
    assert len(tenant.get("/api/v1/spaces?ownerId=")["data"]) == 1


def test_values_of_the_wrong_type_are_still_refused(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    qlik.control.settings(lenient=list(LENIENT_RULES))
    tenant.post("/api/v1/spaces", {"name": 5, "type": "shared", "shape": "round"}, expect=400)
    tenant.post("/api/v1/spaces", {"type": "shared", "shape": "round"}, expect=400)
    tenant.get("/api/v1/spaces?limit=x&colour=red", expect=400)
