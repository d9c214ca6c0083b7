"""Groups."""

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

PATCH = ("PATCH /api/v1/groups/{id}",)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "name": "Partners",
        "provider_type": "custom",
        "description": "Resellers",
        "roles": ["AnalyticsAdmin", "Developer"],
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = {group["id"]: group for group in tenancy.world.groups.values()}.get(id)
    return found and {
        "name": found["name"],
        "provider_type": found["providerType"],
        "description": found.get("description", ""),
        "roles": sorted(role["name"] for role in found["assignedRoles"]),
    }


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    body = {"name": inputs["name"], "providerType": "custom", "assignedRoles": [{"name": "Developer"}]}
    return str(send("POST", "groups", body)["id"])


def set_roles(tenancy: Tenancy, id: str) -> None:
    tenancy.world.patch(f"groups/{id}", assignedRoles=[{"name": "TenantAdmin"}, {"name": "Developer"}])


CASE = Case(
    "group",
    inputs_for,
    remote,
    creates=("POST /api/v1/groups",),
    deletes=("DELETE /api/v1/groups/{id}",),
    changes={
        "name": InPlace("Resellers", PATCH),
        "description": InPlace("", PATCH),
        "roles": InPlace([], PATCH),
    },
    replaces={"provider_type": "idp"},
    incompatible={"provider_type": ("description",)},
    drifts={
        "name": Drift(lambda t, id: t.world.patch(f"groups/{id}", name="Mine"), "Mine"),
        "description": Drift(lambda t, id: t.world.patch(f"groups/{id}", description="x"), "x"),
        "roles": Drift(set_roles, ["Developer", "TenantAdmin"]),
    },
    remove=lambda t, id: t.world.request("DELETE", f"groups/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"description", "roles"}),
)

IDP = {"name": "Analysts", "roles": ["Developer"]}


def test_an_idp_group_cannot_be_renamed(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Its name comes from the identity provider, so a new name replaces the group. Its roles can change."""
    group = driver("group").create(IDP | {"tenant": tenancy.hostname})
    assert group.diff(IDP | {"tenant": tenancy.hostname, "name": "Analyst"}) == ["name"]
    group.update(IDP | {"tenant": tenancy.hostname, "roles": ["Steward"]})
    assert remote(tenancy, group.id) == {
        "name": "Analysts",
        "provider_type": "idp",
        "description": "",
        "roles": ["Steward"],
    }


def test_an_idp_group_has_no_description(driver: MakeDriver, tenancy: Tenancy) -> None:
    with pytest.raises(AssertionError, match="description: an idp group cannot have one"):
        driver("group").check(IDP | {"tenant": tenancy.hostname, "description": "Ours"})


@pytest.mark.parametrize("name", ['A "quoted" name', "back\\slash", "Straße 24/7 & co"])
def test_any_name_is_found(driver: MakeDriver, tenancy: Tenancy, name: str) -> None:
    """The filter language of Qlik has its own quoting, and it ignores case."""
    tenancy.group(name.upper())
    ours = tenancy.group(name)
    assert driver("group").create({"tenant": tenancy.hostname, "name": name}).id == ours


def test_a_custom_group_and_an_idp_group_can_have_the_same_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    custom = driver("group").create(inputs_for(tenancy))
    idp = driver("group").create({"tenant": tenancy.hostname, "name": "Partners"})
    assert idp.id != custom.id
    assert driver("group").create({"tenant": tenancy.hostname, "name": "Partners"}).id == idp.id


def test_the_error_of_an_unknown_role_suggests_the_closest_one(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry reads the roles of the tenant only if Qlik refuses one."""
    tenancy.requests()
    with pytest.raises(Failure) as caught:
        driver("group").create(
            {"tenant": tenancy.hostname, "name": "A", "roles": ["analyticsadmin", "Developer"]}
        )
    assert tenancy.requests() == ["POST /api/v1/groups", "GET /api/v1/roles"]
    message = str(caught.value)
    for words in (
        "'analyticsadmin' (the closest is AnalyticsAdmin)",
        "Steward",
        "POST ",
        " answered 400",
        "traceId",
    ):
        assert words in message
    assert "'Developer'" not in message
    group = driver("group").create({"tenant": tenancy.hostname, "name": "A"})
    with pytest.raises(Failure, match=r"(?s)the closest is Developer.*PATCH .*traceId"):
        group.update({"tenant": tenancy.hostname, "name": "A", "roles": ["Develper"]})


def test_another_refusal_of_qlik_does_not_blame_the_roles(driver: MakeDriver, tenancy: Tenancy) -> None:
    """In the first case the roles are valid. In the second case Tenantry cannot read the list of roles."""
    inputs = {"tenant": tenancy.hostname, "name": "A", "roles": ["Developer"]}
    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/groups", status=400)
    with pytest.raises(Failure, match="Injected fault") as caught:
        driver("group").create(inputs)
    assert "no such role" not in str(caught.value)
    tenancy.qlik.control.add_fault(path="/api/v1/roles", status=403)
    with pytest.raises(Failure, match="Injected fault") as caught:
        driver("group").create({**inputs, "roles": ["Nobody"]})
    assert "no such role" not in str(caught.value)
