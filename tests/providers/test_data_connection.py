"""Data connections: their properties, and credentials that no message shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pulumi
import pytest

from tenantry.providers import DataConnection
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
from tests.world import Doc

PATH = "/api/v1/data-connections"
PATCH = (f"PATCH {PATH}/{{id}}",)
SECRET = "pass/word+of=globex"
PROPERTIES = {"host": "db.globex.example", "port": 5432, "database": "sales"}
SAMPLE: Inputs = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "space": "s1",
    "name": "Sales",
    "datasource": "postgres",
    "connection_properties": PROPERTIES,
    "credentials": {"username": "reader", "password": SECRET},
    "credentials_version": 2,
    "tags": ["globex", "release:v2.4.0"],
    "adopt": True,
}

EXAMPLE = {
    "Sales DB": {
        "space": "Data",
        "datasource": "postgres",
        "properties": {"host": "db.globex.example", "port": 5432},
        "tags": ["release:v2.4.0"],
    }
}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return SAMPLE | {"tenant": tenancy.hostname, "space": tenancy.space("Data"), "adopt": None}


def connections_by_id(tenancy: Tenancy) -> dict[str, Doc]:
    return {connection["id"]: connection for connection in tenancy.world.every("data-connection")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = connections_by_id(tenancy).get(id)
    if found is None:
        return None
    properties = found["_properties"] | found["_secret"]
    credentials = {name: properties.pop(name) for name in ("username", "password") if name in properties}
    return {
        "name": found["qName"],
        "datasource": found["datasourceID"],
        "connection_properties": properties,
        "credentials": credentials,
        "tags": found["tags"],
    }


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    body = {
        "qName": inputs["name"],
        "datasourceID": inputs["datasource"],
        "space": inputs["space"],
        "connectionProperties": {
            **inputs["connection_properties"],
            "host": "theirs.example",
            "password": "theirs",
        },
    }
    return str(send("POST", "data-connections", body)["qID"])


def patch(path: str, value: object) -> Callable[[Tenancy, str], object]:
    change = [{"op": "replace", "path": path, "value": value}]
    return lambda t, id: t.world.request("PATCH", f"data-connections/{id}", change)


CASE = Case(
    "data_connection",
    inputs_for,
    remote,
    creates=(f"POST {PATH}",),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Orders", PATCH),
        "connection_properties": InPlace(PROPERTIES | {"host": "db2.globex.example"}, PATCH),
        "credentials": InPlace({"username": "reader", "password": "another"}, PATCH),
        "credentials_version": InPlace(3, PATCH),
        "tags": InPlace(["release:v2.5.0"], PATCH),
    },
    replaces={"space": lambda t: t.space("Other"), "datasource": "mysql"},
    drifts={
        "name": Drift(patch("/qName", "Mine"), "Mine"),
        "connection_properties": Drift(
            patch("/connectionProperties/port", 5433), PROPERTIES | {"port": 5433}
        ),
        "tags": Drift(patch("/tags", ["mine"]), ["mine"]),
    },
    remove=lambda t, id: t.world.request("DELETE", f"data-connections/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"connection_properties", "credentials", "credentials_version", "tags"}),
)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_error_of_qlik_that_contains_a_secret_is_redacted(
    driver: MakeDriver, tenancy: Tenancy, method: str
) -> None:
    """The name of the property does not matter."""
    inputs = inputs_for(tenancy) | {"credentials": {"accessId": SECRET}}
    connection = driver("data_connection")
    if method == "PATCH":
        connection.create(inputs)
    body = {"errors": [{"code": "X", "title": "No", "detail": f"cannot log in with {SECRET}-2"}]}
    tenancy.qlik.control.add_fault(method=method, path=f"{PATH}*", status=400, body=body)
    new_inputs = inputs | {"credentials": {"accessId": f"{SECRET}-2"}}
    with pytest.raises(Failure, match="cannot log in with") as caught:
        connection.update(new_inputs) if method == "PATCH" else connection.create(new_inputs)
    assert SECRET not in str(caught.value)


def test_a_wrong_secret_is_not_shown(driver: MakeDriver, tenancy: Tenancy) -> None:
    with pytest.raises(AssertionError) as caught:
        driver("data_connection").check(inputs_for(tenancy) | {"credentials": SECRET})
    assert "credentials" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_plain_credentials_of_a_program_become_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine never gets the plain value."""
    sent: Inputs = {}
    monkeypatch.setattr(
        pulumi.CustomResource, "__init__", lambda _self, _type, _name, props, _: sent.update(props)
    )

    async def program() -> None:
        DataConnection("c", **SAMPLE)

    asyncio.run(program())
    assert isinstance(sent["credentials"], pulumi.Output)
    assert not isinstance(sent["connection_properties"], pulumi.Output)
