"""Settings that each tenant has exactly once: the previous values are saved and restored."""

from __future__ import annotations

import pytest

from tenantry.providers import group_settings
from tenantry.providers.framework.engine import Failure
from tests.providers import test_group_settings as groups
from tests.providers import test_license_settings as licences
from tests.providers.resource_driver import Inputs, MakeDriver, Tenancy

PREVIOUS: Inputs = {"auto_create_groups": True, "sync_idp_groups": False, "everyone_roles": ["Steward"]}
DESIRED: Inputs = {"auto_create_groups": False, "sync_idp_groups": True, "everyone_roles": ["Developer"]}


@pytest.fixture
def previous_values(tenancy: Tenancy) -> None:
    """Set the previous values by hand, like a user of Qlik."""
    roles = [{"name": name} for name in PREVIOUS["everyone_roles"]]
    tenancy.world.patch("groups/settings", autoCreateGroups=True, **{groups.ROLES: roles})


@pytest.mark.usefixtures("previous_values")
def test_delete_restores_the_previous_values(driver: MakeDriver, tenancy: Tenancy) -> None:
    """It restores all of them, whatever updates set in between."""
    resource = driver("group_settings").create(DESIRED | {"tenant": tenancy.hostname})
    assert groups.settings(tenancy) == DESIRED
    assert resource.state["before"] == PREVIOUS
    resource.update(DESIRED | {"tenant": tenancy.hostname, "auto_create_groups": True})
    resource.drift()
    resource.delete()
    assert groups.settings(tenancy) == PREVIOUS


@pytest.mark.usefixtures("previous_values")
def test_only_properties_that_the_program_sets_are_changed(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The others are neither compared nor restored."""
    resource = driver("group_settings").create({"tenant": tenancy.hostname, "sync_idp_groups": True})
    assert groups.settings(tenancy) == PREVIOUS | {"sync_idp_groups": True}
    tenancy.world.patch("groups/settings", autoCreateGroups=False)
    assert resource.drift() == {}
    resource.delete()
    assert groups.settings(tenancy) == PREVIOUS | {"auto_create_groups": False}


@pytest.mark.usefixtures("previous_values")
def test_a_property_that_is_no_longer_set_gets_its_previous_value(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """If the program sets it again later, the value of that time becomes the previous one."""
    tenant = {"tenant": tenancy.hostname}
    resource = driver("group_settings").create(DESIRED | tenant)
    resource.update(tenant | {"sync_idp_groups": True})
    assert groups.settings(tenancy) == PREVIOUS | {"sync_idp_groups": True}
    tenancy.world.patch("groups/settings", **{groups.ROLES: [{"name": "TenantAdmin"}]})
    resource.update(DESIRED | tenant)
    assert groups.settings(tenancy) == DESIRED
    resource.delete()
    assert groups.settings(tenancy) == PREVIOUS | {"everyone_roles": ["TenantAdmin"]}


@pytest.mark.usefixtures("previous_values")
def test_after_a_kill_our_own_values_are_not_mistaken_for_the_previous_ones(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """The killed run set our values, but did not save them in the state."""
    driver("group_settings").create(DESIRED | {"tenant": tenancy.hostname})
    tenancy.requests()
    second_resource = driver("group_settings").create(DESIRED | {"tenant": tenancy.hostname})
    assert tenancy.requests() == [f"GET {groups.PATH}"], "nothing must change"
    second_resource.delete()
    assert groups.settings(tenancy) == PREVIOUS


def test_delete_forgets_the_previous_values(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A later resource restores the values that it found itself."""
    driver("group_settings").create(DESIRED | {"tenant": tenancy.hostname}).delete()
    assert groups.settings(tenancy) == groups.DEFAULTS
    tenancy.world.patch("groups/settings", autoCreateGroups=True)
    driver("group_settings").create(DESIRED | {"tenant": tenancy.hostname}).delete()
    assert groups.settings(tenancy) == groups.DEFAULTS | {"auto_create_groups": True}


@pytest.mark.usefixtures("previous_values")
def test_settings_that_already_match_are_only_read(driver: MakeDriver, tenancy: Tenancy) -> None:
    tenancy.requests()
    driver("group_settings").create(PREVIOUS | {"tenant": tenancy.hostname})
    assert tenancy.requests() == [f"GET {groups.PATH}"]


def test_different_settings_have_different_ids(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A deletion skips ids that the same run created, so a shared id would skip the wrong settings."""
    resource = driver("group_settings").create(groups.inputs_for(tenancy))
    assert resource.id != driver("license_settings").create(licences.inputs_for(tenancy)).id


def test_settings_of_a_purged_tenant_stay_in_the_state(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Settings exist as long as their tenant, so a 404 does not mean that they are gone."""
    resource = driver("group_settings").create(groups.inputs_for(tenancy))
    tenancy.cloud.register("eu").post(
        f"/api/v1/tenants/{tenancy.tenant_id}/actions/deactivate",
        {"purgeAfterDays": 10},
        headers={"qlik-confirm-hostname": tenancy.hostname},
    )
    assert resource.drift() == {}, "deactivated is not gone"
    with pytest.raises(Failure, match="deactivated"):
        resource.delete()
    tenancy.qlik.control.advance(11 * 24 * 3600)
    assert resource.drift() == {}
    assert "does not answer (404)" in tenancy.messages[-1]
    with pytest.raises(Failure, match="404"):
        resource.delete()


def test_the_earliest_known_value_is_the_previous_one(tenancy: Tenancy) -> None:
    """The state comes first, then the note of a killed run, then the current value."""
    handler, host = group_settings.HANDLER, tenancy.bot
    handler._note(host).write(before={"sync_idp_groups": False, "everyone_roles": ["Noted"]})
    live = {"sync_idp_groups": True, "everyone_roles": ["Live"], "auto_create_groups": True}
    previous = handler._keep(host, {"everyone_roles": ["State"]}, live)
    assert previous == {"everyone_roles": ["State"], "sync_idp_groups": False, "auto_create_groups": True}
    assert (handler._note(host).earlier or {})["before"] == previous
