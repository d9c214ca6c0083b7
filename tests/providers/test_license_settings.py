"""Licence settings. What holds for all settings of which a tenant has one set is in test_singleton.py."""

from __future__ import annotations

import pytest

from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy

PATH = "/api/v1/licenses/settings"
PUT = (f"PUT {PATH}",)
FLAGS = {"auto_assign_professional": "autoAssignProfessional", "auto_assign_analyzer": "autoAssignAnalyzer"}
AS_MADE: Inputs = dict.fromkeys(FLAGS, False)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {"tenant": tenancy.hostname, "auto_assign_professional": True, "auto_assign_analyzer": True}


def settings(tenancy: Tenancy) -> Inputs:
    found = tenancy.world.request("GET", "licenses/settings")
    return {name: found[flag] for name, flag in FLAGS.items()}


def put(tenancy: Tenancy, **flags: bool) -> None:
    """Set flags as an administrator does: both at once."""
    both = settings(tenancy) | flags
    tenancy.world.request("PUT", "licenses/settings", {FLAGS[name]: value for name, value in both.items()})


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    """None if they are as Qlik made them."""
    found = settings(tenancy)
    return None if found == AS_MADE else found


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


@pytest.mark.parametrize("other", [True, False])
def test_the_other_flag_stays_as_it_is(driver: MakeDriver, tenancy: Tenancy, other: bool) -> None:
    """Qlik takes both at once: the one that is not managed is read first, each time."""
    put(tenancy, auto_assign_professional=not other)
    made = driver("license_settings").create({"tenant": tenancy.hostname, "auto_assign_analyzer": True})
    assert settings(tenancy) == {"auto_assign_professional": not other, "auto_assign_analyzer": True}
    put(tenancy, auto_assign_professional=other)
    assert made.drift() == {}, "it is not managed"
    tenancy.requests()
    made.update({"tenant": tenancy.hostname, "auto_assign_analyzer": False})
    assert tenancy.requests() == [f"GET {PATH}", *PUT]
    assert settings(tenancy) == {"auto_assign_professional": other, "auto_assign_analyzer": False}
    made.delete()
    assert settings(tenancy)["auto_assign_professional"] == other
