"""Pinned links: their names, addresses and number."""

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
from tests.world import Doc

PATH = "/api/v1/ui-config/pinned-links"
PATCH = (f"PATCH {PATH}/{{id}}",)
TENANT_LINK = {"type": "custom-link", "scope": "tenant"}
SAMPLE = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "name": "Help",
    "link": "https://help.example.com/start?from=qlik#top",
    "adopt": True,
}
EXAMPLE = {"Help": {"link": "https://help.example.com"}}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {"tenant": tenancy.hostname, "name": "Help", "link": "https://help.example.com"}


def links(tenancy: Tenancy) -> dict[str, Doc]:
    return {link["id"]: link for link in tenancy.world.every("pinned-link")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = links(tenancy).get(id)
    return found and {"name": found["name"], "link": found["link"]}


def changed_by_hand(name: str, value: str) -> Drift:
    return Drift(lambda t, id: t.world.patch(f"ui-config/pinned-links/{id}", **{name: value}), value)


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    send("POST", PATH, {"name": inputs["name"].upper(), "link": inputs["link"], **TENANT_LINK})
    body = {"name": inputs["name"], "link": "https://theirs.example", **TENANT_LINK}
    return str(send("POST", PATH, body)["id"])


CASE = Case(
    "pinned_link",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", f"POST {PATH}"),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Support", PATCH),
        "link": InPlace("https://support.example.com/", PATCH),
    },
    drifts={"name": changed_by_hand("name", "Mine"), "link": changed_by_hand("link", "https://mine.example")},
    remove=lambda t, id: t.world.request("DELETE", f"{PATH}/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"link"}),
)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("http://help.example.com", "write it as https://"),
        ("help.example.com", "write it as https://"),
        ("https://", "write it as https://"),
        ("https://help.example.com/a b", "write it as https://"),
        ("https://[help", "is not an address"),
        ("javascript:alert(1)", "write it as https://"),
        ("https://ada:hunter2@help.example.com", "contains a user name"),
    ],
)
def test_an_invalid_link_is_refused(driver: MakeDriver, tenancy: Tenancy, link: str, message: str) -> None:
    with pytest.raises(AssertionError, match=f"^link: .*{message}") as caught:
        driver("pinned_link").check({**inputs_for(tenancy), "link": link})
    assert "hunter2" not in str(caught.value)


def test_a_name_with_more_than_50_characters_is_refused(driver: MakeDriver, tenancy: Tenancy) -> None:
    driver("pinned_link").create({**inputs_for(tenancy), "name": "x" * 50})
    with pytest.raises(AssertionError, match=r"^name: .*1 to 50 characters"):
        driver("pinned_link").check({**inputs_for(tenancy), "name": "x" * 51})


def test_the_error_above_the_maximum_number_names_the_maximum(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The format of the error of Qlik does not matter."""
    for number in range(50):
        tenancy.as_bot("POST", PATH, {"name": f"Link {number}", "link": "https://a.example", **TENANT_LINK})
    with pytest.raises(Failure, match="50 pinned links per tenant"):
        driver("pinned_link").create(inputs_for(tenancy))
    body = {"code": 400, "message": "no more"}
    tenancy.qlik.control.add_fault(method="POST", path=PATH, status=400, body=body)
    with pytest.raises(Failure, match=r"(?s)no more.*50 pinned links per tenant"):
        driver("pinned_link").create(inputs_for(tenancy))


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_link(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    resource = driver("pinned_link").create(inputs_for(tenancy))
    assert links(tenancy).keys() == {resource.id}
