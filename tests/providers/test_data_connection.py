"""Data connections."""

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


def held(tenancy: Tenancy) -> dict[str, Doc]:
    return {each["id"]: each for each in tenancy.world.every("data-connection")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = held(tenancy).get(id)
    if found is None:
        return None
    inner = found["_properties"] | found["_secret"]
    secret = {name: inner.pop(name) for name in ("username", "password") if name in inner}
    return {
        "name": found["qName"],
        "datasource": found["datasourceID"],
        "connection_properties": inner,
        "credentials": secret,
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


def drifted(path: str, value: object) -> Callable[[Tenancy, str], object]:
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
        "name": Drift(drifted("/qName", "Mine"), "Mine"),
        "connection_properties": Drift(
            drifted("/connectionProperties/port", 5433), PROPERTIES | {"port": 5433}
        ),
        "tags": Drift(drifted("/tags", ["mine"]), ["mine"]),
    },
    remove=lambda t, id: t.world.request("DELETE", f"data-connections/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"connection_properties", "credentials", "credentials_version", "tags"}),
)


@pytest.mark.parametrize("refused", ["POST", "PATCH"])
def test_what_qlik_repeats_of_a_secret_is_not_shown(
    driver: MakeDriver, tenancy: Tenancy, refused: str
) -> None:
    """Whatever the property is called."""
    inputs = inputs_for(tenancy) | {"credentials": {"accessId": SECRET}}
    made = driver("data_connection")
    if refused == "PATCH":
        made.create(inputs)
    body = {"errors": [{"code": "X", "title": "No", "detail": f"cannot log in with {SECRET}-2"}]}
    tenancy.qlik.control.add_fault(method=refused, path=f"{PATH}*", status=400, body=body)
    changed = inputs | {"credentials": {"accessId": f"{SECRET}-2"}}
    with pytest.raises(Failure, match="cannot log in with") as caught:
        made.update(changed) if refused == "PATCH" else made.create(changed)
    assert SECRET not in str(caught.value)


def test_a_wrong_secret_is_not_shown(driver: MakeDriver, tenancy: Tenancy) -> None:
    with pytest.raises(AssertionError) as caught:
        driver("data_connection").check(inputs_for(tenancy) | {"credentials": SECRET})
    assert "credentials" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_program_need_not_know_that_it_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain value becomes a secret before the engine sees it."""
    sent: Inputs = {}
    monkeypatch.setattr(
        pulumi.CustomResource, "__init__", lambda _self, _type, _name, props, _: sent.update(props)
    )

    async def program() -> None:
        DataConnection("c", **SAMPLE)

    asyncio.run(program())
    assert isinstance(sent["credentials"], pulumi.Output)
    assert not isinstance(sent["connection_properties"], pulumi.Output)
