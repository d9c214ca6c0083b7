"""CSP origins: valid and invalid origins, adoption, and updates that send all properties."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.csp_origin import CspOrigin
from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy
from tests.world import Doc

PATH = "/api/v1/csp-origins"
PUT = (f"PUT {PATH}/{{id}}",)
DIRECTIVES = tuple(prop.name for prop in CspOrigin.inputs() if prop.type is bool and prop.at_qlik)
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


def origins_by_id(tenancy: Tenancy) -> dict[str, Doc]:
    return {origin["id"]: origin for origin in tenancy.world.every("csp-origin")}


def camel(name: str) -> str:
    return "connectSrcWSS" if name == "connect_src_wss" else CspOrigin.properties[name].camel


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = origins_by_id(tenancy).get(id)
    names = ("name", "origin", "description", *DIRECTIVES)
    return found and {name: found[camel(name)] for name in names}


def changed_by_hand(name: str, value: Any) -> Drift:
    def do(tenancy: Tenancy, id: str) -> None:
        stored = origins_by_id(tenancy)[id]
        body = {key: stored[key] for key in stored if key != "id"}
        tenancy.world.request("PUT", f"csp-origins/{id}", {**body, camel(name): value})

    return Drift(do, value)


def opposite_value(name: str) -> bool:
    """Return the opposite of the directive's value in `inputs_for`."""
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
        **{name: InPlace(opposite_value(name), PUT) for name in DIRECTIVES},
    },
    drifts={
        "name": changed_by_hand("name", "Mine"),
        "origin": changed_by_hand("origin", "https://mine.example"),
        "description": changed_by_hand("description", "Mine"),
        **{name: changed_by_hand(name, opposite_value(name)) for name in DIRECTIVES},
    },
    remove=lambda t, id: t.world.request("DELETE", f"csp-origins/{id}"),
)


def create_foreign_origin(tenancy: Tenancy, **changes: Any) -> str:
    """Create an origin as somebody else, equal to `inputs_for` except for the changes. Return its id."""
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
def test_an_invalid_origin_is_refused(
    driver: MakeDriver, tenancy: Tenancy, origin: str, message: str
) -> None:
    """The preview shows the error with the correct form of the origin."""
    with pytest.raises(AssertionError) as caught:
        driver("csp_origin").check({**inputs_for(tenancy), "origin": origin})
    assert "origin: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "origin", ["maps.example.com", "*.example.com", "https://*.example.com:8443", "https://[2001:db8::1]:443"]
)
def test_a_valid_origin_is_created(driver: MakeDriver, tenancy: Tenancy, origin: str) -> None:
    """Both Tenantry and Qlik accept it."""
    resource = driver("csp_origin").create({**inputs_for(tenancy), "origin": origin})
    assert origins_by_id(tenancy)[resource.id]["origin"] == origin


def test_a_different_entry_for_the_origin_needs_adopt(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik does not say who created the entry."""
    id = create_foreign_origin(tenancy, imgSrc=False)
    with pytest.raises(Failure, match=r"Qlik does not say who created it. Set `adopt"):
        driver("csp_origin").create(inputs_for(tenancy))
    assert origins_by_id(tenancy)[id]["imgSrc"] is False
    resource = driver("csp_origin").create({**inputs_for(tenancy), "adopt": True})
    assert resource.id == id
    assert origins_by_id(tenancy)[id]["imgSrc"] is True


def test_the_only_identical_entry_is_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """An interrupted run may have created it."""
    id = create_foreign_origin(tenancy)
    create_foreign_origin(tenancy, name="Another")
    assert driver("csp_origin").create(inputs_for(tenancy)).id == id
    for _ in range(2):
        create_foreign_origin(tenancy, origin="https://two.example")
    with pytest.raises(Failure, match="several times"):
        driver("csp_origin").create({**inputs_for(tenancy), "origin": "https://two.example"})


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_origin(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    resource = driver("csp_origin").create(inputs_for(tenancy))
    assert origins_by_id(tenancy).keys() == {resource.id}
    assert resource.drift() == {}
