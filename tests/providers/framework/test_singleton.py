"""Settings of which a tenant has one set: what was found is kept, and given back."""

from __future__ import annotations

import pytest

from tenantry.providers import group_settings
from tenantry.providers.framework.engine import Failure
from tests.providers import test_group_settings as groups
from tests.providers import test_license_settings as licences
from tests.providers.resource_driver import Inputs, MakeDriver, Tenancy

FOUND: Inputs = {"auto_create_groups": True, "sync_idp_groups": False, "everyone_roles": ["Steward"]}
WANTED: Inputs = {"auto_create_groups": False, "sync_idp_groups": True, "everyone_roles": ["Developer"]}


@pytest.fixture
def found(tenancy: Tenancy) -> None:
    """Somebody set them by hand before."""
    roles = [{"name": name} for name in FOUND["everyone_roles"]]
    tenancy.world.patch("groups/settings", autoCreateGroups=True, **{groups.ROLES: roles})


@pytest.mark.usefixtures("found")
def test_what_was_found_is_given_back(driver: MakeDriver, tenancy: Tenancy) -> None:
    """All of it, when the resource goes; whatever was set in between."""
    made = driver("group_settings").create(WANTED | {"tenant": tenancy.hostname})
    assert groups.settings(tenancy) == WANTED
    assert made.state["before"] == FOUND
    made.update(WANTED | {"tenant": tenancy.hostname, "auto_create_groups": True})
    made.drift()
    made.delete()
    assert groups.settings(tenancy) == FOUND


@pytest.mark.usefixtures("found")
def test_only_what_is_set_is_touched(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Neither when they are made, nor when they are deleted, is anything else changed or compared."""
    made = driver("group_settings").create({"tenant": tenancy.hostname, "sync_idp_groups": True})
    assert groups.settings(tenancy) == FOUND | {"sync_idp_groups": True}
    tenancy.world.patch("groups/settings", autoCreateGroups=False)
    assert made.drift() == {}
    made.delete()
    assert groups.settings(tenancy) == FOUND | {"auto_create_groups": False}


@pytest.mark.usefixtures("found")
def test_a_property_that_is_no_longer_set_is_given_back(driver: MakeDriver, tenancy: Tenancy) -> None:
    """As the whole would be; set again later, what is there then counts."""
    tenant = {"tenant": tenancy.hostname}
    made = driver("group_settings").create(WANTED | tenant)
    made.update(tenant | {"sync_idp_groups": True})
    assert groups.settings(tenancy) == FOUND | {"sync_idp_groups": True}
    tenancy.world.patch("groups/settings", **{groups.ROLES: [{"name": "TenantAdmin"}]})
    made.update(WANTED | tenant)
    assert groups.settings(tenancy) == WANTED
    made.delete()
    assert groups.settings(tenancy) == FOUND | {"everyone_roles": ["TenantAdmin"]}


@pytest.mark.usefixtures("found")
def test_a_killed_run_does_not_take_its_own_values_for_what_was_there(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """It set them, and the state never heard of it."""
    driver("group_settings").create(WANTED | {"tenant": tenancy.hostname})
    tenancy.requests()
    again = driver("group_settings").create(WANTED | {"tenant": tenancy.hostname})
    assert tenancy.requests() == [f"GET {groups.PATH}"], "nothing was left to do"
    again.delete()
    assert groups.settings(tenancy) == FOUND


def test_once_deleted_what_was_found_then_is_of_no_meaning(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A later resource gives back what it found itself."""
    driver("group_settings").create(WANTED | {"tenant": tenancy.hostname}).delete()
    assert groups.settings(tenancy) == groups.AS_MADE
    tenancy.world.patch("groups/settings", autoCreateGroups=True)
    driver("group_settings").create(WANTED | {"tenant": tenancy.hostname}).delete()
    assert groups.settings(tenancy) == groups.AS_MADE | {"auto_create_groups": True}


@pytest.mark.usefixtures("found")
def test_what_is_already_as_wanted_takes_no_request(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Beyond the one that looks."""
    tenancy.requests()
    driver("group_settings").create(FOUND | {"tenant": tenancy.hostname})
    assert tenancy.requests() == [f"GET {groups.PATH}"]


def test_two_kinds_of_settings_are_two_objects(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Their ids must differ: a deletion spares whatever the same run made under that id."""
    made = driver("group_settings").create(groups.inputs_for(tenancy))
    assert made.id != driver("license_settings").create(licences.inputs_for(tenancy)).id


def test_a_tenant_that_is_gone(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Its settings stay in the state as they were: a 404 is never their end."""
    made = driver("group_settings").create(groups.inputs_for(tenancy))
    tenancy.cloud.register("eu").post(
        f"/api/v1/tenants/{tenancy.tenant_id}/actions/deactivate",
        {"purgeAfterDays": 10},
        headers={"qlik-confirm-hostname": tenancy.hostname},
    )
    assert made.drift() == {}, "deactivated is not gone"
    with pytest.raises(Failure, match="deactivated"):
        made.delete()
    tenancy.qlik.control.advance(11 * 24 * 3600)
    assert made.drift() == {}
    assert "does not answer (404)" in tenancy.messages[-1]
    with pytest.raises(Failure, match="404"):
        made.delete()


def test_what_was_there_first_counts(tenancy: Tenancy) -> None:
    """What the state has goes before what a killed run noted, and that before what is there now."""
    handler, host = group_settings.HANDLER, tenancy.bot
    handler._note(host).write(before={"sync_idp_groups": False, "everyone_roles": ["Noted"]})
    live = {"sync_idp_groups": True, "everyone_roles": ["Live"], "auto_create_groups": True}
    kept = handler._keep(host, {"everyone_roles": ["Found"]}, live)
    assert kept == {"everyone_roles": ["Found"], "sync_idp_groups": False, "auto_create_groups": True}
    assert (handler._note(host).earlier or {})["before"] == kept
