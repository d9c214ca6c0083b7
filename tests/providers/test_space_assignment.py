"""Assignments of spaces."""

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


def found(tenancy: Tenancy, id: str) -> dict[str, Any] | None:
    kept = tenancy.qlik.control.dump()[tenancy.hostname].get("assignment", [])
    return next((each for each in kept if each["id"] == id), None)


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    there = found(tenancy, id)
    return there and {
        "space": there["spaceId"],
        "assignee": there["assigneeId"],
        "type": there["type"],
        "roles": sorted(there["roles"]),
    }


def path(tenancy: Tenancy, id: str) -> str:
    there = found(tenancy, id)
    assert there
    return f"spaces/{there['spaceId']}/assignments/{id}"


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


def test_it_goes_with_its_space(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Where the space is gone, so is the assignment: no error on refresh and deletion."""
    assignment = driver("space_assignment").create(inputs_for(tenancy))
    tenancy.world.request("DELETE", f"spaces/{tenancy.space('Sales')}")
    assert assignment.drift() is None
    assignment.delete()


def test_a_role_that_the_type_of_space_does_not_know(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A role of another type of space is Qlik's to refuse; one of none is refused before."""
    with pytest.raises(AssertionError, match=r"roles: 'viewer' is not allowed.*allowed: .*consumer"):
        driver("space_assignment").check({**inputs_for(tenancy), "roles": ["viewer"]})
    with pytest.raises(Failure, match=r"(?s)400.*roles of a managed space are"):
        driver("space_assignment").create({**inputs_for(tenancy), "roles": ["producer"]})
