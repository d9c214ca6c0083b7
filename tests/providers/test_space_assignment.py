"""Space assignments: their roles, and the deletion of their space."""

from __future__ import annotations

from typing import Any

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

ASSIGNMENTS = "/api/v1/spaces/{space}/assignments"


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "space": tenancy.space("Sales", "managed"),
        "assignee": tenancy.group("Analysts"),
        "type": "group",
        "roles": ["consumer", "contributor"],
    }


def find_assignment(tenancy: Tenancy, id: str) -> dict[str, Any] | None:
    assignments = tenancy.qlik.control.dump()[tenancy.hostname].get("assignment", [])
    return next((assignment for assignment in assignments if assignment["id"] == id), None)


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = find_assignment(tenancy, id)
    return found and {
        "space": found["spaceId"],
        "assignee": found["assigneeId"],
        "type": found["type"],
        "roles": sorted(found["roles"]),
    }


def path(tenancy: Tenancy, id: str) -> str:
    found = find_assignment(tenancy, id)
    assert found
    return f"spaces/{found['spaceId']}/assignments/{id}"


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    body = {"type": "group", "assigneeId": inputs["assignee"], "roles": ["publisher"]}
    return str(send("POST", f"spaces/{inputs['space']}/assignments", body)["id"])


CASE = Case(
    "space_assignment",
    inputs_for,
    remote,
    creates=(f"POST {ASSIGNMENTS}",),
    deletes=(f"DELETE {ASSIGNMENTS}/{{id}}",),
    changes={"roles": InPlace(["publisher"], (f"PUT {ASSIGNMENTS}/{{id}}",))},
    replaces={
        "space": lambda t: t.space("Other", "managed"),
        "assignee": lambda t: t.group("Viewers"),
        "type": "user",
    },
    drifts={
        "roles": Drift(
            lambda t, id: t.world.request("PUT", path(t, id), {"roles": ["publisher", "consumer"]}),
            ["consumer", "publisher"],
        )
    },
    remove=lambda t, id: t.world.request("DELETE", path(t, id)),
    create_existing=create_existing,
    corrected=frozenset({"roles"}),
)


def test_an_assignment_does_not_exist_after_the_deletion_of_its_space(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Neither a refresh nor a deletion fails."""
    assignment = driver("space_assignment").create(inputs_for(tenancy))
    tenancy.world.request("DELETE", f"spaces/{tenancy.space('Sales')}")
    assert assignment.drift() is None
    assignment.delete()


def test_a_role_that_the_space_type_does_not_have_is_refused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry refuses roles that no space type has. Qlik refuses roles of another space type."""
    with pytest.raises(AssertionError, match=r"roles: 'viewer' is not allowed.*allowed: .*consumer"):
        driver("space_assignment").check({**inputs_for(tenancy), "roles": ["viewer"]})
    with pytest.raises(Failure, match=r"(?s)400.*roles of a managed space are"):
        driver("space_assignment").create({**inputs_for(tenancy), "roles": ["producer"]})
