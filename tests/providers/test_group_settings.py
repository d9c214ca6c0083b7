"""Group settings. What holds for all settings of which a tenant has one set is in test_singleton.py."""

from __future__ import annotations

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.group_settings import EVERYONE
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy

PATH = "/api/v1/groups/settings"
PATCH = (f"PATCH {PATH}",)
ROLES = f"systemGroups/{EVERYONE}/assignedRoles"
AS_MADE: Inputs = {"auto_create_groups": False, "sync_idp_groups": False, "everyone_roles": []}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "auto_create_groups": True,
        "sync_idp_groups": True,
        "everyone_roles": ["Developer", "Steward"],
    }


def settings(tenancy: Tenancy) -> Inputs:
    found = tenancy.world.request("GET", "groups/settings")
    return {
        "auto_create_groups": found["autoCreateGroups"],
        "sync_idp_groups": found["syncIdpGroups"],
        "everyone_roles": sorted(role["name"] for role in found["systemGroups"][EVERYONE]["assignedRoles"]),
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    """None if they are as Qlik made them."""
    found = settings(tenancy)
    return None if found == AS_MADE else found


CASE = Case(
    "group_settings",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", *PATCH),
    deletes=PATCH,
    changes={
        "auto_create_groups": InPlace(False, PATCH),
        "sync_idp_groups": InPlace(False, PATCH),
        "everyone_roles": InPlace([], PATCH),
    },
    drifts={
        "auto_create_groups": Drift(
            lambda t, _: t.world.patch("groups/settings", autoCreateGroups=False), False
        ),
        "sync_idp_groups": Drift(lambda t, _: t.world.patch("groups/settings", syncIdpGroups=False), False),
        "everyone_roles": Drift(
            lambda t, _: t.world.patch("groups/settings", **{ROLES: [{"name": "TenantAdmin"}]}),
            ["TenantAdmin"],
        ),
    },
)


def test_everyone_with_no_roles_is_not_everyone_left_alone(driver: MakeDriver, tenancy: Tenancy) -> None:
    """An empty list takes the roles away; null leaves them."""
    tenancy.world.patch("groups/settings", **{ROLES: [{"name": "Steward"}]})
    made = driver("group_settings").create({"tenant": tenancy.hostname, "auto_create_groups": True})
    assert settings(tenancy)["everyone_roles"] == ["Steward"]
    made.update({"tenant": tenancy.hostname, "auto_create_groups": True, "everyone_roles": []})
    assert settings(tenancy)["everyone_roles"] == []
    tenancy.world.patch("groups/settings", **{ROLES: [{"name": "Developer"}]})
    assert made.drift() == {"everyone_roles": ["Developer"]}


def test_a_role_that_the_tenant_does_not_have(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik does not say which one it is; the message does, with the nearest one, and nothing was changed."""
    with pytest.raises(Failure, match=r"(?s)steward.*Steward.*/groups/settings.*400.*traceId"):
        driver("group_settings").create(inputs_for(tenancy) | {"everyone_roles": ["steward"]})
    assert settings(tenancy) == AS_MADE
