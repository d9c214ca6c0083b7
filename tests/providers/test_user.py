"""Users: their subjects, addresses, roles and statuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy

PATCH = ("PATCH /api/v1/users/{id}",)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "subject": "auth0|grace",
        "name": "Grace",
        "email": "Grace@example.com",
        "roles": ["AnalyticsAdmin", "Developer"],
        "status": "active",
    }


def find_user(tenancy: Tenancy, id: str) -> dict[str, Any] | None:
    return next((user for user in tenancy.world.every("user") if user["id"] == id), None)


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    user = find_user(tenancy, id)
    return user and {
        **{name: user.get(name) for name in ("subject", "name", "email", "status")},
        "roles": sorted(role["name"] for role in user["assignedRoles"]),
    }


def patch_user(**changes: Any) -> Callable[[Tenancy, str], object]:
    """Return a function that changes a user as somebody else."""
    return lambda tenancy, id: tenancy.world.patch(f"users/{id}", **changes)


CASE = Case(
    "user",
    inputs_for,
    remote,
    creates=("POST /api/v1/users",),
    deletes=("DELETE /api/v1/users/{id}",),
    changes={
        "name": InPlace("Grace Hopper", PATCH),
        "email": InPlace("hopper@example.com", PATCH),
        "roles": InPlace(["Steward"], PATCH),
        "status": InPlace("disabled", PATCH),
    },
    replaces={"subject": "auth0|hopper"},
    drifts={
        "name": Drift(patch_user(name="Mine"), "Mine"),
        "email": Drift(patch_user(email="mine@example.com"), "mine@example.com"),
        "roles": Drift(patch_user(assignedRoles=[{"name": "TenantAdmin"}]), ["TenantAdmin"]),
        "status": Drift(patch_user(status="invited"), "invited"),
    },
    remove=lambda t, id: t.world.request("DELETE", f"users/{id}"),
)


def create_user(tenancy: Tenancy, **fields: Any) -> str:
    """Create a user as an administrator. Return its id."""
    body = {"subject": "auth0|grace", "status": "active", **fields}
    return str(tenancy.world.request("POST", "users", body)["id"])


def test_an_existing_user_with_the_subject_is_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik does not say who created a user. Tenantry corrects and reports the differences."""
    existing_id = create_user(
        tenancy, name="G.", email="Grace@example.com", assignedRoles=[{"name": "Steward"}]
    )
    user = driver("user").create(inputs_for(tenancy))
    assert user.id == existing_id
    assert remote(tenancy, existing_id) == {
        name: inputs_for(tenancy)[name] for name in CASE.remote(tenancy, existing_id) or {}
    }
    (line,) = [line for line in tenancy.messages if "already exists" in line]
    assert existing_id in line
    assert set(line.partition("corrected: ")[2].split(", ")) == {"name", "roles"}


def test_properties_that_the_program_does_not_set_are_not_managed(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Other administrators can assign roles, and the identity provider can set the name."""
    existing_id = create_user(tenancy, name="G.", email="g@example.com", assignedRoles=[{"name": "Steward"}])
    user = driver("user").create({"tenant": tenancy.hostname, "subject": "auth0|grace"})
    assert user.id == existing_id
    assert "corrected" not in tenancy.messages[-1]
    tenancy.world.patch(f"users/{existing_id}", assignedRoles=[{"name": "Developer"}], name="Grace")
    assert user.drift() == {}
    user.update(user.inputs)
    assert (remote(tenancy, existing_id) or {})["roles"] == ["Developer"]


def test_an_invited_user_becomes_active(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The API reference of Qlik lists only `invited` for new users. Tenantry then activates the user."""
    existing_id = create_user(tenancy, status="invited", email="grace@example.com")
    assert (find_user(tenancy, existing_id) or {})["status"] == "invited"
    user = driver("user").create(inputs_for(tenancy))
    assert user.drift() == {}
    assert (find_user(tenancy, existing_id) or {})["status"] == "active"

    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/users", merge={"status": "invited"})
    tenancy.requests()
    driver("user").create({"tenant": tenancy.hostname, "subject": "auth0|new", "email": "new@example.com"})
    tenancy.qlik.control.clear_faults()
    assert [line.partition("/users")[0] for line in tenancy.requests()] == ["POST /api/v1", "PATCH /api/v1"]


def test_a_new_user_can_be_disabled(driver: MakeDriver, tenancy: Tenancy) -> None:
    """This needs a second request. If it fails, the next run continues."""
    inputs = {**inputs_for(tenancy), "status": "disabled"}
    tenancy.qlik.control.add_fault(method="PATCH", path="/api/v1/users/*", status=403)
    with pytest.raises(Failure, match="exists, id"):
        driver("user").create(inputs)
    tenancy.qlik.control.clear_faults()
    user = driver("user").create(inputs)
    assert (find_user(tenancy, user.id) or {})["status"] == "disabled"
    assert user.drift() == {}


def test_the_status_provisioned_is_no_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A user that the identity provider has provisioned can log in."""
    user = driver("user").create(inputs_for(tenancy))
    tenancy.qlik.control.add_fault(path=f"/api/v1/users/{user.id}", merge={"status": "provisioned"})
    assert user.drift() == {}


def test_a_user_with_the_status_deleted_does_not_exist(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik can still return deleted users."""
    user = driver("user").create(inputs_for(tenancy))
    tenancy.qlik.control.add_fault(path=f"/api/v1/users/{user.id}", merge={"status": "deleted"})
    assert user.drift() is None


def test_the_case_of_an_address_is_no_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik ignores the case of addresses, so it may change it."""
    user = driver("user").create(inputs_for(tenancy))
    tenancy.world.patch(f"users/{user.id}", email="grace@EXAMPLE.com")
    assert user.drift() == {}


def test_an_address_belongs_to_one_user(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The message names the owner of the address, for a new and for a changed user."""
    theirs = create_user(tenancy, subject="auth0|other", name="Other", email="GRACE@example.com")
    with pytest.raises(Failure) as caught:
        driver("user").create(inputs_for(tenancy))
    for words in ("Grace@example.com belongs to another user", "auth0|other", theirs, tenancy.hostname):
        assert words in str(caught.value)
    user = driver("user").create({**inputs_for(tenancy), "email": "hopper@example.com"})
    refusal = r"(?s)PATCH .* answered 400 .*traceId.*belongs to another user of .*auth0\|other"
    with pytest.raises(Failure, match=refusal):
        user.update(inputs_for(tenancy))
    tenancy.qlik.control.add_fault(method="PATCH", path=f"/api/v1/users/{user.id}", status=409)
    with pytest.raises(Failure, match=r"(?s)answered 409.*belongs to another user of .*auth0\|other"):
        user.update(inputs_for(tenancy))
    assert (remote(tenancy, user.id) or {})["email"] == "hopper@example.com"


def test_a_replacement_with_the_same_address_is_created_after_the_deletion(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """The old user still has the address. With another address, the replacement is created first."""
    user = driver("user").create(inputs_for(tenancy))
    inputs = {**inputs_for(tenancy), "subject": "auth0|hopper"}
    state, id = user.state, user.id
    assert user.provider.diff(id, state, user.check(inputs)).delete_before_replace
    new_inputs = user.check({**inputs, "email": "hopper@example.com"})
    assert not user.provider.diff(id, state, new_inputs).delete_before_replace


def test_the_error_of_an_unknown_role_suggests_the_closest_one(driver: MakeDriver, tenancy: Tenancy) -> None:
    with pytest.raises(Failure, match=r"(?s)'developer' \(the closest is Developer\).*traceId"):
        driver("user").create({**inputs_for(tenancy), "roles": ["developer"]})
    assert [user for user in tenancy.world.every("user") if user["subject"] == "auth0|grace"] == []


def test_a_partial_update_is_an_error(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik can return 207.

    Tenantry then reads the user again. The error lists what Qlik did not change, with the reason.
    """
    user = driver("user").create(inputs_for(tenancy))
    body = {"errors": [{"code": "USERS-1", "title": "Role service away"}], "traceId": "t-1"}
    tenancy.qlik.control.add_fault(method="PATCH", path=f"/api/v1/users/{user.id}", status=207, body=body)
    with pytest.raises(Failure) as caught:
        user.update({**inputs_for(tenancy), "name": "Hopper"})
    for words in ("name is still 'Grace'", "USERS-1 Role service away", "t-1", "next `pulumi up`"):
        assert words in str(caught.value)


def test_a_partial_update_without_a_difference_is_no_error(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik returns 207, but the user has all desired values."""
    user = driver("user").create(inputs_for(tenancy))
    tenancy.world.patch(f"users/{user.id}", name="Hopper")
    body = {"errors": [{"code": "USERS-1", "title": "Mail not sent"}], "traceId": "t-1"}
    tenancy.qlik.control.add_fault(method="PATCH", path=f"/api/v1/users/{user.id}", status=207, body=body)
    user.update({**inputs_for(tenancy), "name": "Hopper"})
    assert user.drift() == {}


@pytest.mark.parametrize("subject", ['a "quoted" one', "qlik\\ada", "Ümläut|1"])
def test_any_subject_is_found(driver: MakeDriver, tenancy: Tenancy, subject: str) -> None:
    """Subjects are case-sensitive, but the filter of Qlik is not."""
    create_user(tenancy, subject=subject.upper())
    ours = create_user(tenancy, subject=subject)
    assert driver("user").create({"tenant": tenancy.hostname, "subject": subject}).id == ours


def test_a_lost_response_creates_no_second_user(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry repeats the request and then finds the user that the first request created."""
    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/users", drop_after=True, times=1)
    user = driver("user").create(inputs_for(tenancy))
    assert remote(tenancy, user.id) == {
        name: inputs_for(tenancy)[name] for name in remote(tenancy, user.id) or {}
    }
    assert user.drift() == {}


def test_messages_call_users_by_name_or_subject(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Nobody recognises an id."""
    create_user(tenancy)
    driver("user").create({"tenant": tenancy.hostname, "subject": "auth0|grace"})
    assert tenancy.messages[-1].startswith('user "auth0|grace" already exists')
