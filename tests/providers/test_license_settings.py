"""Licence settings. `framework/test_singleton.py` tests what resource types with one set per tenant share."""

from __future__ import annotations

import pytest

from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy

PATH = "/api/v1/licenses/settings"
PUT = (f"PUT {PATH}",)
FLAGS = {"auto_assign_professional": "autoAssignProfessional", "auto_assign_analyzer": "autoAssignAnalyzer"}
DEFAULTS: Inputs = dict.fromkeys(FLAGS, False)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {"tenant": tenancy.hostname, "auto_assign_professional": True, "auto_assign_analyzer": True}


def settings(tenancy: Tenancy) -> Inputs:
    found = tenancy.world.request("GET", "licenses/settings")
    return {name: found[flag] for name, flag in FLAGS.items()}


def put(tenancy: Tenancy, **flags: bool) -> None:
    """Set flags as an administrator. Qlik requires both in one request."""
    both = settings(tenancy) | flags
    tenancy.world.request("PUT", "licenses/settings", {FLAGS[name]: value for name, value in both.items()})


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    """Return None if the settings have the default values of Qlik."""
    found = settings(tenancy)
    return None if found == DEFAULTS else found


CASE = Case(
    "license_settings",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", *PUT),
    deletes=PUT,
    changes={
        "auto_assign_professional": InPlace(False, PUT),
        "auto_assign_analyzer": InPlace(False, PUT),
    },
    drifts={
        "auto_assign_professional": Drift(lambda t, _: put(t, auto_assign_professional=False), False),
        "auto_assign_analyzer": Drift(lambda t, _: put(t, auto_assign_analyzer=False), False),
    },
)


@pytest.mark.parametrize("other_flag", [True, False])
def test_a_flag_that_is_not_managed_does_not_change(
    driver: MakeDriver, tenancy: Tenancy, other_flag: bool
) -> None:
    """Qlik requires both flags in one request, so Tenantry reads the other one before each update."""
    put(tenancy, auto_assign_professional=not other_flag)
    settings_resource = driver("license_settings").create(
        {"tenant": tenancy.hostname, "auto_assign_analyzer": True}
    )
    assert settings(tenancy) == {"auto_assign_professional": not other_flag, "auto_assign_analyzer": True}
    put(tenancy, auto_assign_professional=other_flag)
    assert settings_resource.drift() == {}, "the other flag is not managed"
    tenancy.requests()
    settings_resource.update({"tenant": tenancy.hostname, "auto_assign_analyzer": False})
    assert tenancy.requests() == [f"GET {PATH}", *PUT]
    assert settings(tenancy) == {"auto_assign_professional": other_flag, "auto_assign_analyzer": False}
    settings_resource.delete()
    assert settings(tenancy)["auto_assign_professional"] == other_flag
