"""A change that Qlik refuses because another object has the name: whose it is stands in the message."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.framework import moves
from tenantry.providers.framework.engine import Failure
from tests.providers.framework.test_every_resource_type import CASES
from tests.providers.resource_driver import MakeDriver, ResourceDriver, Tenancy

TAKEN = {"errors": [{"code": "TAKEN-1", "title": "Taken"}], "traceId": "t-409"}
RENAMED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "space": ("spaces", "name", {"type": "managed"}),
    "group": ("groups", "name", {"providerType": "custom"}),
    "web_integration": ("web-integrations", "name", {"validOrigins": ["https://theirs.example"]}),
}
"""By kind: its collection, the property that is to change, and what else a new object needs."""

every_renamed = pytest.mark.parametrize("module", RENAMED)


def two_of_them(
    module: str, driver: MakeDriver, tenancy: Tenancy
) -> tuple[ResourceDriver, str, dict[str, Any]]:
    """Return an object of ours, the id of one that somebody else made, and inputs with the name of that."""
    collection, name, body = RENAMED[module]
    theirs = str(tenancy.world.request("POST", collection, {**body, "name": "Theirs"})["id"])
    ours = driver(module).create(CASES[module].inputs_for(tenancy))
    path = f"/api/v1/{collection}/{ours.id}"
    tenancy.qlik.control.add_fault(method="PATCH", path=path, status=409, body=TAKEN)
    return ours, theirs, ours.inputs | {name: "Theirs"}


@every_renamed
def test_who_has_the_name_is_told(module: str, driver: MakeDriver, tenancy: Tenancy) -> None:
    """With what Qlik said, and one advice, which is not the general one for a 409."""
    ours, theirs, wanted = two_of_them(module, driver, tenancy)
    with pytest.raises(Failure) as caught:
        ours.update(wanted)
    told = str(caught.value)
    for said in (
        f"(id {theirs}, created by user ",
        "answered 409 TAKEN-1 Taken (traceId t-409)",
        "cannot have",
    ):
        assert said in told
    assert "No resource of this stack manages" in told
    assert "must be unique" not in told


def test_who_has_the_name_may_be_of_the_stack(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot stand aside under another name waits for nobody."""
    ours, theirs, wanted = two_of_them("web_integration", driver, tenancy)
    urn = "urn:pulumi:acme::tenantry::pulumi-python:dynamic/qlik:WebIntegration::Shop"
    monkeypatch.setattr(moves, "holder", lambda *_: urn)
    with pytest.raises(Failure, match=rf"\(id {theirs}\), and WebIntegration Shop of this stack manages it"):
        ours.update(wanted)


def test_another_key_of_that_issuer_is_told(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik changes nothing of a key but its description; should that meet a 409, the other one is named."""
    path = "/api/v1/identity-providers"
    ours = driver("jwt_identity_provider").create(CASES["jwt_identity_provider"].inputs_for(tenancy))
    listed = tenancy.as_bot("GET", "identity-providers")["data"]
    other = next(each for each in listed if each["id"] == ours.id) | {"id": "other-1"}
    tenancy.qlik.control.add_fault(method="PATCH", path=f"{path}/*", status=409, body=TAKEN)
    tenancy.qlik.control.add_fault(method="GET", path=path, status=200, body={"data": [*listed, other]})
    with pytest.raises(Failure, match=r"cannot have this issuer and kid on .*\(id other-1\)"):
        ours.update(ours.inputs | {"description": "Another"})


@every_renamed
def test_nobody_is_named_where_nobody_is_found(module: str, driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik's own words stay, with the general advice."""
    ours, _, wanted = two_of_them(module, driver, tenancy)
    with pytest.raises(Failure, match=r"(?s)answered 409 TAKEN-1 .*which must be unique. Choose another one"):
        ours.update(wanted | {"name": "Nobody's"})
