"""Automations: whole definitions, schedules, owners."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, error, new_tenant
from tests.world import World

PATH = "/api/workflows/automations"
WORKSPACE = {"blocks": [{"type": "StartBlock"}]}


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def test_an_automation_is_created_changed_and_deleted(tenant: Api) -> None:
    schedule = {"startAt": "2026-01-01 06:00:00", "interval": 3629, "timezone": "UTC"}
    body = {"name": "Nightly", "workspace": WORKSPACE, "schedules": [schedule]}
    created = tenant.post(PATH, body)
    assert (created["state"], created["runMode"], created["spaceId"]) == ("available", "scheduled", "")
    assert created["schedules"] == [{**schedule, "id": created["schedules"][0]["id"], "interval": 3600}]
    tenant.post(f"{PATH}/{created['id']}/actions/disable", expect=204)
    [entry] = tenant.get(PATH)["data"]
    assert (entry["state"], "schedules" in entry) == ("disabled", False)
    tenant.post(f"{PATH}/{created['id']}/actions/enable", expect=204)
    replaced = tenant.put(f"{PATH}/{created['id']}", {"name": "Daily", "description": "All of it"})
    assert (replaced["workspace"], replaced["schedules"], replaced["runMode"]) == ({}, [], "manual")
    tenant.delete(f"{PATH}/{created['id']}")
    tenant.get(f"{PATH}/{created['id']}", expect=404)


def test_an_automation_moves_between_spaces(tenant: Api) -> None:
    shared, managed = (
        tenant.post("/api/v1/spaces", {"name": kind, "type": kind})["id"] for kind in ("shared", "managed")
    )
    created = tenant.post(PATH, {"name": "Nightly", "spaceId": shared})
    assert created["spaceId"] == shared
    for space, status in (("", 204), (shared, 204), (managed, 400), ("none", 400)):
        tenant.post(f"{PATH}/{created['id']}/actions/change-space", {"spaceId": space}, expect=status)
    assert tenant.get(f"{PATH}/{created['id']}")["spaceId"] == shared
    tenant.post(PATH, {"name": "Nightly", "spaceId": managed}, expect=400)


def test_the_list_has_pages_and_filters(tenant: Api) -> None:
    for number in range(7):
        tenant.post(PATH, {"name": f"Number {number}"})
    assert [automation["name"] for automation in tenant.everything(f"{PATH}?limit=3&sort=-name")] == [
        f"Number {number}" for number in reversed(range(7))
    ]
    [found] = tenant.get(f'{PATH}?filter=name eq "number 3"')["data"]
    assert found["name"] == "Number 3"
    tenant.get(f"{PATH}?cursor=nothing", expect=400)


def test_only_the_owner_can_read_and_change_an_automation(qlik: Emulator, tenant: Api) -> None:
    """An administrator sees it in the list and can change its owner."""
    created = tenant.post(PATH, {"name": "Nightly"})
    world = World(qlik, tenant.host)
    other = world.request("POST", PATH, {"name": "Theirs"})
    assert {automation["name"] for automation in tenant.get(PATH)["data"]} == {"Nightly", "Theirs"}
    assert [automation["name"] for automation in tenant.get(f"{PATH}?listAll=false")["data"]] == ["Nightly"]
    tenant.get(f"{PATH}/{other['id']}", expect=403)
    tenant.put(f"{PATH}/{other['id']}", {"name": "Mine"}, expect=403)
    tenant.post(f"{PATH}/{other['id']}/actions/change-owner", {"userId": created["ownerId"]}, expect=204)
    assert tenant.get(f"{PATH}/{other['id']}")["ownerId"] == created["ownerId"]
    tenant.post(f"{PATH}/{other['id']}/actions/change-owner", {"userId": "nobody"}, expect=400)


def test_the_token_of_triggered_runs_is_not_in_the_dump(qlik: Emulator, tenant: Api) -> None:
    token = tenant.post(PATH, {"name": "Nightly"})["executionToken"]
    assert token not in str(qlik.control.dump())


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": 1}, {"name": "A", "workspace": []}, {"name": "A", "state": "disabled"}],
)
def test_a_bad_automation_is_refused(tenant: Api, body: Any) -> None:
    assert error(tenant.post(PATH, body, expect=400))["code"] == "AUTOMATIONS-400"
