"""If Qlik refuses a change because the name is taken, the message says who has the name."""

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
"""For each resource type its collection, the property to change, and what else a new object needs."""

every_renamed = pytest.mark.parametrize("module", RENAMED)


def create_conflict(
    module: str, driver: MakeDriver, tenancy: Tenancy
) -> tuple[ResourceDriver, str, dict[str, Any]]:
    """Return our object, the id of another user's object, and inputs that give ours the name of the other."""
    collection, name, body = RENAMED[module]
    theirs = str(tenancy.world.request("POST", collection, {**body, "name": "Theirs"})["id"])
    ours = driver(module).create(CASES[module].inputs_for(tenancy))
    path = f"/api/v1/{collection}/{ours.id}"
    tenancy.qlik.control.add_fault(method="PATCH", path=path, status=409, body=TAKEN)
    return ours, theirs, ours.inputs | {name: "Theirs"}


@every_renamed
def test_the_error_names_the_object_that_has_the_name(
    module: str, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """It also has Qlik's message. The advice is not the general one for a 409."""
    ours, theirs, conflicting = create_conflict(module, driver, tenancy)
    with pytest.raises(Failure) as caught:
        ours.update(conflicting)
    error = str(caught.value)
    for expected in (
        f"(id {theirs}, created by user ",
        "answered 409 TAKEN-1 Taken (traceId t-409)",
        "cannot have",
    ):
        assert expected in error
    assert "No resource of this stack manages" in error
    assert "must be unique" not in error


def test_the_error_names_a_resource_of_the_stack_that_has_the_name(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tenantry never gives a web integration a temporary name, so the update fails without waiting."""
    ours, theirs, conflicting = create_conflict("web_integration", driver, tenancy)
    urn = "urn:pulumi:acme::tenantry::pulumi-python:dynamic/qlik:WebIntegration::Shop"
    monkeypatch.setattr(moves, "holder", lambda *_: urn)
    with pytest.raises(Failure, match=rf"\(id {theirs}\), and WebIntegration Shop of this stack manages it"):
        ours.update(conflicting)


def test_the_error_names_another_provider_with_the_same_issuer_and_kid(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Only the description of a JWT identity provider can change, but a 409 is still possible."""
    path = "/api/v1/identity-providers"
    ours = driver("jwt_identity_provider").create(CASES["jwt_identity_provider"].inputs_for(tenancy))
    listed = tenancy.as_bot("GET", "identity-providers")["data"]
    other = next(key for key in listed if key["id"] == ours.id) | {"id": "other-1"}
    tenancy.qlik.control.add_fault(method="PATCH", path=f"{path}/*", status=409, body=TAKEN)
    tenancy.qlik.control.add_fault(method="GET", path=path, status=200, body={"data": [*listed, other]})
    with pytest.raises(Failure, match=r"cannot have this issuer and kid on .*\(id other-1\)"):
        ours.update(ours.inputs | {"description": "Another"})


@every_renamed
def test_without_a_holder_of_the_name_the_error_has_the_general_advice(
    module: str, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Qlik's message is still in the error."""
    ours, _, conflicting = create_conflict(module, driver, tenancy)
    with pytest.raises(Failure, match=r"(?s)answered 409 TAKEN-1 .*which must be unique. Choose another one"):
        ours.update(conflicting | {"name": "Nobody's"})
