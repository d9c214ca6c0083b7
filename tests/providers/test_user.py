"""Users."""

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


def found(tenancy: Tenancy, id: str) -> dict[str, Any] | None:
    return next((each for each in tenancy.world.every("user") if each["id"] == id), None)


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    user = found(tenancy, id)
    return user and {
        **{name: user.get(name) for name in ("subject", "name", "email", "status")},
        "roles": sorted(role["name"] for role in user["assignedRoles"]),
    }


def patched(**changes: Any) -> Callable[[Tenancy, str], object]:
    """Change a user as somebody else."""
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
        "name": Drift(patched(name="Mine"), "Mine"),
        "email": Drift(patched(email="mine@example.com"), "mine@example.com"),
        "roles": Drift(patched(assignedRoles=[{"name": "TenantAdmin"}]), ["TenantAdmin"]),
        "status": Drift(patched(status="invited"), "invited"),
    },
    remove=lambda t, id: t.world.request("DELETE", f"users/{id}"),
)


def make(tenancy: Tenancy, **fields: Any) -> str:
    """Make a user as an administrator would; return its id."""
    body = {"subject": "auth0|grace", "status": "active", **fields}
    return str(tenancy.world.request("POST", "users", body)["id"])


def test_who_is_there_already_is_taken_over(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik names no creator of a user, so the subject decides.

    Tenantry corrects and reports the differences.
    """
    there = make(tenancy, name="G.", email="Grace@example.com", assignedRoles=[{"name": "Steward"}])
    user = driver("user").create(inputs_for(tenancy))
    assert user.id == there
    assert remote(tenancy, there) == {
        name: inputs_for(tenancy)[name] for name in CASE.remote(tenancy, there) or {}
    }
    (line,) = [line for line in tenancy.messages if "already exists" in line]
    assert there in line
    assert set(line.partition("corrected: ")[2].split(", ")) == {"name", "roles"}


def test_what_is_not_set_is_left_alone(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Roles from others, and a name from the identity provider, are not drift."""
    there = make(tenancy, name="G.", email="g@example.com", assignedRoles=[{"name": "Steward"}])
    user = driver("user").create({"tenant": tenancy.hostname, "subject": "auth0|grace"})
    assert user.id == there
    assert "corrected" not in tenancy.messages[-1]
    tenancy.world.patch(f"users/{there}", assignedRoles=[{"name": "Developer"}], name="Grace")
    assert user.drift() == {}
    user.update(user.inputs)
    assert (remote(tenancy, there) or {})["roles"] == ["Developer"]


def test_an_invited_user_becomes_active(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik's reference knows only `invited` for new users: an answer of that kind is corrected at once."""
    there = make(tenancy, status="invited", email="grace@example.com")
    assert (found(tenancy, there) or {})["status"] == "invited"
    user = driver("user").create(inputs_for(tenancy))
    assert user.drift() == {}
    assert (found(tenancy, there) or {})["status"] == "active"

    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/users", merge={"status": "invited"})
    tenancy.requests()
    driver("user").create({"tenant": tenancy.hostname, "subject": "auth0|new", "email": "new@example.com"})
    tenancy.qlik.control.clear_faults()
    assert [line.partition("/users")[0] for line in tenancy.requests()] == ["POST /api/v1", "PATCH /api/v1"]


def test_a_user_may_be_made_disabled(driver: MakeDriver, tenancy: Tenancy) -> None:
    """That takes a second request; if it fails, the user is recorded and the next run goes on."""
    inputs = {**inputs_for(tenancy), "status": "disabled"}
    tenancy.qlik.control.add_fault(method="PATCH", path="/api/v1/users/*", status=403)
    with pytest.raises(Failure, match="exists, id"):
        driver("user").create(inputs)
    tenancy.qlik.control.clear_faults()
    user = driver("user").create(inputs)
    assert (found(tenancy, user.id) or {})["status"] == "disabled"
    assert user.drift() == {}


def test_one_who_was_provisioned_is_active(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A user that the identity provider provisioned may log in: no difference."""
    user = driver("user").create(inputs_for(tenancy))
    tenancy.qlik.control.add_fault(path=f"/api/v1/users/{user.id}", merge={"status": "provisioned"})
    assert user.drift() == {}


def test_one_who_is_shown_as_deleted_is_gone(driver: MakeDriver, tenancy: Tenancy) -> None:
    """`deleted` is a status that Qlik may go on showing."""
    user = driver("user").create(inputs_for(tenancy))
    tenancy.qlik.control.add_fault(path=f"/api/v1/users/{user.id}", merge={"status": "deleted"})
    assert user.drift() is None


def test_capitals_of_an_address_make_no_difference(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik does not tell them apart, so it may keep them or not."""
    user = driver("user").create(inputs_for(tenancy))
    tenancy.world.patch(f"users/{user.id}", email="grace@EXAMPLE.com")
    assert user.drift() == {}


def test_an_address_belongs_to_one_user(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The message names the owner of the address, for a new and for a changed user."""
    theirs = make(tenancy, subject="auth0|other", name="Other", email="GRACE@example.com")
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


def test_a_new_subject_with_the_same_address(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The old user must go first, or its address would be taken; one with another address comes first."""
    user = driver("user").create(inputs_for(tenancy))
    inputs = {**inputs_for(tenancy), "subject": "auth0|hopper"}
    state, id = user.state, user.id
    assert user.provider.diff(id, state, user.check(inputs)).delete_before_replace
    other = user.check({**inputs, "email": "hopper@example.com"})
    assert not user.provider.diff(id, state, other).delete_before_replace


def test_a_role_that_the_tenant_does_not_have(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The error contains the closest name, and nothing is created."""
    with pytest.raises(Failure, match=r"(?s)'developer' \(the closest is Developer\).*traceId"):
        driver("user").create({**inputs_for(tenancy), "roles": ["developer"]})
    assert [each for each in tenancy.world.every("user") if each["subject"] == "auth0|grace"] == []


def test_a_change_that_was_made_in_part(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik can return 207.

    Tenantry reads the user again, and the error lists what Qlik did not do, with the reason.
    """
    user = driver("user").create(inputs_for(tenancy))
    body = {"errors": [{"code": "USERS-1", "title": "Role service away"}], "traceId": "t-1"}
    tenancy.qlik.control.add_fault(method="PATCH", path=f"/api/v1/users/{user.id}", status=207, body=body)
    with pytest.raises(Failure) as caught:
        user.update({**inputs_for(tenancy), "name": "Hopper"})
    for words in ("name is still 'Grace'", "USERS-1 Role service away", "t-1", "next `pulumi up`"):
        assert words in str(caught.value)


def test_a_change_whose_failures_do_not_matter(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A 207 after which all is as wanted is no error."""
    user = driver("user").create(inputs_for(tenancy))
    tenancy.world.patch(f"users/{user.id}", name="Hopper")
    body = {"errors": [{"code": "USERS-1", "title": "Mail not sent"}], "traceId": "t-1"}
    tenancy.qlik.control.add_fault(method="PATCH", path=f"/api/v1/users/{user.id}", status=207, body=body)
    user.update({**inputs_for(tenancy), "name": "Hopper"})
    assert user.drift() == {}


@pytest.mark.parametrize("subject", ['a "quoted" one', "qlik\\ada", "Ümläut|1"])
def test_any_subject_is_found(driver: MakeDriver, tenancy: Tenancy, subject: str) -> None:
    """Subjects are case-sensitive, although Qlik's filter is not."""
    make(tenancy, subject=subject.upper())
    ours = make(tenancy, subject=subject)
    assert driver("user").create({"tenant": tenancy.hostname, "subject": subject}).id == ours


def test_a_lost_answer_makes_no_second_user(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The request is sent again, and who is there then is the one that it made."""
    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/users", drop_after=True, times=1)
    user = driver("user").create(inputs_for(tenancy))
    assert remote(tenancy, user.id) == {
        name: inputs_for(tenancy)[name] for name in remote(tenancy, user.id) or {}
    }
    assert user.drift() == {}


def test_messages_call_users_by_name_or_subject(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The message contains a name, because nobody recognises an id."""
    make(tenancy)
    driver("user").create({"tenant": tenancy.hostname, "subject": "auth0|grace"})
    assert tenancy.messages[-1].startswith('user "auth0|grace" already exists')
