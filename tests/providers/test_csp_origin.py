"""CSP origins: what is an origin, what is taken over, and that each change sends everything."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.csp_origin import CspOrigin
from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy
from tests.world import Doc

PATH = "/api/v1/csp-origins"
PUT = (f"PUT {PATH}/{{id}}",)
DIRECTIVES = tuple(each.name for each in CspOrigin.inputs() if each.type is bool and each.at_qlik)
SAMPLE = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "name": "Maps",
    "origin": "https://maps.example.com",
    "description": "Tiles of the map extension",
    **dict.fromkeys(DIRECTIVES, True),
    "adopt": True,
}
EXAMPLE = {"Portal": {"origin": "https://portal.example", "frame_ancestors": True, "connect_src_wss": True}}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "name": "Maps",
        "origin": "https://maps.example.com",
        "description": "Tiles",
        **{name: name in ("img_src", "connect_src_wss") for name in DIRECTIVES},
    }


def held(tenancy: Tenancy) -> dict[str, Doc]:
    return {each["id"]: each for each in tenancy.world.every("csp-origin")}


def camel(name: str) -> str:
    return "connectSrcWSS" if name == "connect_src_wss" else CspOrigin.properties[name].camel


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = held(tenancy).get(id)
    names = ("name", "origin", "description", *DIRECTIVES)
    return found and {name: found[camel(name)] for name in names}


def by_hand(name: str, value: Any) -> Drift:
    def do(tenancy: Tenancy, id: str) -> None:
        body = {key: each for key, each in held(tenancy)[id].items() if key != "id"}
        tenancy.world.request("PUT", f"csp-origins/{id}", {**body, camel(name): value})

    return Drift(do, value)


def others(name: str) -> bool:
    return name not in ("img_src", "connect_src_wss")


CASE = Case(
    "csp_origin",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", f"POST {PATH}"),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Tiles", PUT),
        "origin": InPlace("*.example.com", PUT),
        "description": InPlace("", PUT),
        **{name: InPlace(others(name), PUT) for name in DIRECTIVES},
    },
    drifts={
        "name": by_hand("name", "Mine"),
        "origin": by_hand("origin", "https://mine.example"),
        "description": by_hand("description", "Mine"),
        **{name: by_hand(name, others(name)) for name in DIRECTIVES},
    },
    remove=lambda t, id: t.world.request("DELETE", f"csp-origins/{id}"),
)


def theirs(tenancy: Tenancy, **changes: Any) -> str:
    texts = {"name": "Maps", "origin": "https://maps.example.com", "description": "Tiles"}
    body = {**texts, "imgSrc": True, "connectSrcWSS": True, **changes}
    return str(tenancy.world.request("POST", "csp-origins", body)["id"])


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("https://maps.example.com/", "write https://maps.example.com"),
        ("https://maps.example.com/tiles?x#y", "write https://maps.example.com"),
        ("maps.example.com/tiles", "write maps.example.com"),
        ("https://me@maps.example.com", "write https://maps.example.com"),
        (" maps.example.com", "write maps.example.com"),
        ("maps.example.com:70000", "port above 65535"),
        ("https://", "for example https://"),
        ("maps.*.com", "for example https://"),
        ("*", "for example https://"),
        ("a" * 257, "has 257 characters"),
    ],
)
def test_what_is_no_origin(driver: MakeDriver, tenancy: Tenancy, origin: str, message: str) -> None:
    """The preview reports it, with the right form."""
    with pytest.raises(AssertionError) as caught:
        driver("csp_origin").check({**inputs_for(tenancy), "origin": origin})
    assert "origin: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "origin", ["maps.example.com", "*.example.com", "https://*.example.com:8443", "https://[2001:db8::1]:443"]
)
def test_what_is_an_origin(driver: MakeDriver, tenancy: Tenancy, origin: str) -> None:
    """This applies to Tenantry and to Qlik."""
    made = driver("csp_origin").create({**inputs_for(tenancy), "origin": origin})
    assert held(tenancy)[made.id]["origin"] == origin


def test_what_is_not_the_same_is_taken_over_only_when_asked(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik does not say who created it."""
    id = theirs(tenancy, imgSrc=False)
    with pytest.raises(Failure, match=r"Qlik does not say who created it. Set `adopt"):
        driver("csp_origin").create(inputs_for(tenancy))
    assert held(tenancy)[id]["imgSrc"] is False
    made = driver("csp_origin").create({**inputs_for(tenancy), "adopt": True})
    assert made.id == id
    assert held(tenancy)[id]["imgSrc"] is True


def test_the_very_same_is_taken_over(driver: MakeDriver, tenancy: Tenancy) -> None:
    """An interrupted run may have created it. Of several entries, it is the only identical one."""
    id = theirs(tenancy)
    theirs(tenancy, name="Another")
    assert driver("csp_origin").create(inputs_for(tenancy)).id == id
    for _ in range(2):
        theirs(tenancy, origin="https://two.example")
    with pytest.raises(Failure, match="several times"):
        driver("csp_origin").create({**inputs_for(tenancy), "origin": "https://two.example"})


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_answer_makes_no_second_one(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    made = driver("csp_origin").create(inputs_for(tenancy))
    assert held(tenancy).keys() == {made.id}
    assert made.drift() == {}
