"""Group settings. `framework/test_singleton.py` tests what resource types with one set per tenant share."""

from __future__ import annotations

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.group_settings import EVERYONE
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy

PATH = "/api/v1/groups/settings"
PATCH = (f"PATCH {PATH}",)
ROLES = f"systemGroups/{EVERYONE}/assignedRoles"
DEFAULTS: Inputs = {"auto_create_groups": False, "sync_idp_groups": False, "everyone_roles": []}


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
    """Return None if the settings have the default values of Qlik."""
    found = settings(tenancy)
    return None if found == DEFAULTS else found


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


def test_only_an_empty_list_removes_the_roles_of_everyone(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Without the property, Tenantry does not change the roles."""
    tenancy.world.patch("groups/settings", **{ROLES: [{"name": "Steward"}]})
    settings_resource = driver("group_settings").create(
        {"tenant": tenancy.hostname, "auto_create_groups": True}
    )
    assert settings(tenancy)["everyone_roles"] == ["Steward"]
    settings_resource.update({"tenant": tenancy.hostname, "auto_create_groups": True, "everyone_roles": []})
    assert settings(tenancy)["everyone_roles"] == []
    tenancy.world.patch("groups/settings", **{ROLES: [{"name": "Developer"}]})
    assert settings_resource.drift() == {"everyone_roles": ["Developer"]}


def test_the_error_of_an_unknown_role_suggests_the_closest_one(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik does not name the unknown role. The message of Tenantry does, and the settings stay unchanged."""
    with pytest.raises(Failure, match=r"(?s)steward.*Steward.*/groups/settings.*400.*traceId"):
        driver("group_settings").create(inputs_for(tenancy) | {"everyone_roles": ["steward"]})
    assert settings(tenancy) == DEFAULTS
