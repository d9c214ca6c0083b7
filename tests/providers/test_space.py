"""Spaces: adoption, deletion and owners."""

from __future__ import annotations

import pytest

from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import (
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    SendRequest,
    Tenancy,
)

PATCH = ("PATCH /api/v1/spaces/{id}",)
BOT_USER = ("GET /api/v1/users/me", "GET /api/v1/users/*")
NEW_OWNER = (*PATCH, "POST /api/v1/spaces/{id}/assignments")
HAND_OVER = (*BOT_USER, *NEW_OWNER, "GET /api/v1/spaces/{id}/assignments")
PROPERTIES = ("name", "type", "description")


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "name": "Sales",
        "type": "managed",
        "description": "Ours",
        "owner": tenancy.user("Grace"),
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = {space["id"]: space for space in tenancy.world.spaces.values()}.get(id)
    return found and {name: found[name] for name in PROPERTIES} | {"owner": found["ownerId"]}


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    body = {"name": inputs["name"], "type": inputs["type"], "description": "Theirs"}
    return str(send("POST", "spaces", body)["id"])


CASE = Case(
    "space",
    inputs_for,
    remote,
    creates=("POST /api/v1/spaces", *NEW_OWNER),
    deletes=("DELETE /api/v1/spaces/{id}",),
    changes={
        "name": InPlace("Sales North", PATCH),
        "description": InPlace("", PATCH),
        "owner": InPlace(lambda t: t.user("Ada"), HAND_OVER),
    },
    replaces={"type": "data"},
    drifts={
        "name": Drift(lambda t, id: t.world.patch(f"spaces/{id}", name="Mine"), "Mine"),
        "description": Drift(lambda t, id: t.world.patch(f"spaces/{id}", description="x"), "x"),
        "owner": Drift(
            lambda t, id: t.world.patch(f"spaces/{id}", ownerId=t.user("Mallory")),
            lambda t: t.user("Mallory"),
        ),
    },
    remove=lambda t, id: t.world.request("DELETE", f"spaces/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"description", "owner"}),
)


def test_a_space_that_is_not_empty_is_not_deleted(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik refuses the deletion with 412. The message lists the content of the space."""
    space = driver("space").create({**inputs_for(tenancy), "type": "shared"})
    apps = [tenancy.app(name, "Sales") for name in ("Forecast", "Pipeline")]
    with pytest.raises(Failure) as caught:
        space.delete()
    for words in ('"Sales"', space.id, tenancy.hostname, "Forecast", "Pipeline", *apps):
        assert words in str(caught.value)
    assert "Sales" in tenancy.world.spaces
    for app in apps:
        tenancy.as_bot("DELETE", f"apps/{app}")
    space.delete()
    assert tenancy.world.spaces == {}


def test_a_space_of_another_type_is_not_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The type of a space cannot change. It does not matter who created the space."""
    theirs = tenancy.space("Sales", "shared")
    with pytest.raises(Failure) as caught:
        driver("space").create(inputs_for(tenancy))
    assert theirs in str(caught.value)
    assert "shared" in str(caught.value)
    assert tenancy.world.spaces["Sales"]["type"] == "shared"


def test_only_a_space_with_exactly_the_name_is_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The search of Qlik ignores case and also finds parts of names."""
    tenancy.space("SALES", "managed")
    tenancy.space("Sales and more", "managed")
    ours = tenancy.space("Sales", "managed")
    assert driver("space").create(inputs_for(tenancy)).id == ours


def members(tenancy: Tenancy, space: str) -> dict[str, list[str]]:
    """Return the sorted roles of each user in a space, by user id."""
    return {
        assignment["assigneeId"]: sorted(assignment["roles"])
        for assignment in tenancy.world.every("assignment")
        if assignment["spaceId"] == space
    }


@pytest.mark.parametrize("type", ["shared", "managed", "data"])
def test_the_bot_stays_a_member_of_a_space_that_it_hands_over(
    driver: MakeDriver, tenancy: Tenancy, type: str
) -> None:
    """The role TenantAdmin alone can neither import nor publish. A message names the roles of the bot."""
    space = driver("space").create({**inputs_for(tenancy), "type": type})
    roles = {"managed": ["consumer", "facilitator", "publisher"]}.get(type, ["facilitator", "producer"])
    assert members(tenancy, space.id) == {tenancy.bot_id: roles}
    assert any(", ".join(roles) in line and space.id in line for line in tenancy.messages)
    if type == "shared":
        tenancy.app("Forecast", "Sales")


def test_the_bot_gets_the_missing_roles_and_keeps_its_others(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A facilitator cannot publish."""
    theirs = tenancy.world.request("POST", "spaces", {"name": "Sales", "type": "managed"})["id"]
    body = {"type": "user", "assigneeId": tenancy.bot_id, "roles": ["contributor", "facilitator"]}
    tenancy.world.request("POST", f"spaces/{theirs}/assignments", body)
    space = driver("space").create({**inputs_for(tenancy), "adopt": True})
    assert space.id == theirs
    roles = ["consumer", "contributor", "facilitator", "publisher"]
    assert members(tenancy, theirs) == {tenancy.bot_id: roles}


def test_the_bot_owns_a_space_again_if_the_owner_is_removed(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A program that never set an owner does not change the owner."""
    without_owner = {name: value for name, value in inputs_for(tenancy).items() if name != "owner"}
    space = driver("space").create(without_owner)
    tenancy.world.patch(f"spaces/{space.id}", ownerId=tenancy.user("Grace"))
    assert space.drift() == {}
    assert "owner" not in space.state
    space.update(inputs_for(tenancy))
    space.update(without_owner)
    assert tenancy.world.spaces["Sales"]["ownerId"] == tenancy.bot_id == space.state["owner_id"]
    assert "owner" not in space.state
    assert space.drift() == {}


def test_the_next_run_completes_an_interrupted_change_of_owner(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The bot becomes a member of the space, even if the state does not have the space."""
    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/spaces/*/assignments", status=403)
    with pytest.raises(Failure, match="The object exists"):
        driver("space").create(inputs_for(tenancy))
    id = tenancy.world.spaces["Sales"]["id"]
    assert tenancy.world.spaces["Sales"]["ownerId"] == tenancy.user("Grace")
    assert members(tenancy, id) == {}
    tenancy.qlik.control.clear_faults()
    assert driver("space").create(inputs_for(tenancy)).id == id
    assert members(tenancy, id).keys() == {tenancy.bot_id}


def test_an_owner_who_does_not_exist_is_an_error(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The error contains the message of Qlik, and the bot still owns the space."""
    with pytest.raises(Failure, match=r"(?s)PATCH .*/api/v1/spaces/.* answered 400.*no such user.*traceId"):
        driver("space").create({**inputs_for(tenancy), "owner": "u123"})
    assert tenancy.world.spaces["Sales"]["ownerId"] == tenancy.bot_id
