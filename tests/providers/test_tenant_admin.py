"""Administrators who are users of the source tenant."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.framework import run
from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import Case, Drift, Inputs, MakeDriver, Tenancy
from tests.world import World

SOURCE = "templates.eu.qlikcloud.com"
ADA = {"subject": "auth0|ada", "email": "ada@example.com", "name": "Ada Admin"}
PATCH = ["PATCH /api/v1/users/{id}"]


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "source_tenant": SOURCE,
        "email": "Ada@example.com",
        "role": "TenantAdmin",
        "status": "active",
    }


def found(tenancy: Tenancy, id: str) -> dict[str, Any] | None:
    return next((each for each in tenancy.world.every("user") if each["id"] == id), None)


def held(tenancy: Tenancy, id: str) -> list[str]:
    """The roles that a user has."""
    return sorted(role["name"] for role in (found(tenancy, id) or {})["assignedRoles"])


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    user = found(tenancy, id)
    if user is None:
        return None
    assert {name: user[name] for name in ADA} == ADA, "the person that the source tenant knows"
    return {
        "role": "TenantAdmin" if "TenantAdmin" in held(tenancy, id) else "none",
        "status": user["status"],
    }


CASE = Case(
    "tenant_admin",
    inputs_for,
    remote,
    creates=("GET /api/v1/users", "GET /api/v1/users", "POST /api/v1/users"),
    deletes=("DELETE /api/v1/users/{id}",),
    replaces={"email": "grace@example.com", "subject": "auth0|grace"},
    incompatible={"subject": ("email",)},
    immutable=frozenset({"role", "status"}),
    drifts={
        "role": Drift(
            lambda t, id: t.world.patch(f"users/{id}", assignedRoles=[{"name": "Developer"}]), "none"
        ),
        "status": Drift(lambda t, id: t.world.patch(f"users/{id}", status="disabled"), "disabled"),
    },
    remove=lambda t, id: t.world.request("DELETE", f"users/{id}"),
)


def on_source(tenancy: Tenancy, **fields: Any) -> str:
    """Make a user of the source tenant; return its id."""
    body = {"status": "active", **fields}
    return str(World(tenancy.qlik, SOURCE).request("POST", "users", body)["id"])


def make(tenancy: Tenancy, *names: str, **fields: Any) -> str:
    """Make Ada a user of the customer's tenant by hand, with some roles; return the id."""
    body = {**ADA, "status": "active", "assignedRoles": [{"name": name} for name in names], **fields}
    return str(tenancy.world.request("POST", "users", body)["id"])


def test_by_subject(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The same person, with the name and the address that the source tenant has."""
    admin = driver("tenant_admin").create(
        {"tenant": tenancy.hostname, "source_tenant": SOURCE, "subject": "auth0|ada"}
    )
    assert remote(tenancy, admin.id) == {"role": "TenantAdmin", "status": "active"}
    assert admin.state["user_subject"] == "auth0|ada"


@pytest.mark.parametrize(
    ("names", "given_now"),
    [(["AnalyticsAdmin"], True), (["AnalyticsAdmin", "TenantAdmin"], False)],
    ids=["without the role", "with the role"],
)
def test_who_is_there_already_keeps_other_roles(
    driver: MakeDriver, tenancy: Tenancy, names: list[str], given_now: bool
) -> None:
    """The role is added to those that the user has; deletion takes away only what this gave."""
    there = make(tenancy, *names)
    tenancy.requests()
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert admin.id == there
    assert held(tenancy, there) == ["AnalyticsAdmin", "TenantAdmin"]
    sent = [line for line in tenancy.requests() if not line.startswith("GET ")]
    assert sent == [line.format(id=there) for line in PATCH if given_now]
    assert any("already exists" in line and there in line for line in tenancy.messages)
    admin.delete()
    assert held(tenancy, there) == sorted(set(names) - ({"TenantAdmin"} if given_now else set()))
    admin.delete()


@pytest.mark.parametrize("status", ["invited", "disabled"])
def test_who_cannot_log_in_is_made_active(driver: MakeDriver, tenancy: Tenancy, status: str) -> None:
    """One request sets the status and gives the role."""
    there = make(tenancy, status="invited")
    tenancy.world.patch(f"users/{there}", status=status)
    tenancy.requests()
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert [line for line in tenancy.requests() if "GET" not in line] == [f"PATCH /api/v1/users/{there}"]
    assert admin.drift() == {}
    assert remote(tenancy, there) == {"role": "TenantAdmin", "status": "active"}


def test_nobody_of_that_address(driver: MakeDriver, tenancy: Tenancy) -> None:
    """One line that lists who comes near; nothing is made."""
    with pytest.raises(Failure) as caught:
        driver("tenant_admin").create({**inputs_for(tenancy), "email": "ada@example.org"})
    message = str(caught.value)
    assert "\n" not in message
    for words in (f"no user of {SOURCE}", "'ada@example.org'", "the closest is ada@example.com", "auth0|ada"):
        assert words in message
    inputs = {"tenant": tenancy.hostname, "source_tenant": SOURCE, "subject": "auth0|nobody"}
    with pytest.raises(Failure, match=r"has the subject 'auth0\|nobody'; no similar user exists"):
        driver("tenant_admin").create(inputs)
    assert [each["name"] for each in tenancy.world.every("user") if "clientId" not in each] == []


def test_two_of_that_address(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Addresses were not always unique at Qlik: both are listed, and the subject tells them apart."""
    there = World(tenancy.qlik, SOURCE).every("user")
    ada = next(each for each in there if each["subject"] == "auth0|ada")
    twice = {"data": [ada, ada | {"id": "u2", "subject": "auth0|ada2"}]}
    tenancy.qlik.control.add_fault(host=SOURCE, path="/api/v1/users", merge=twice)
    with pytest.raises(Failure) as caught:
        driver("tenant_admin").create(inputs_for(tenancy))
    message = str(caught.value)
    assert "\n" not in message
    for words in ("2 users of", "`subject`", "subject auth0|ada,", "subject auth0|ada2,", "u2"):
        assert words in message


def test_who_was_deleted_on_the_source_is_nobody(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik may go on listing deleted users."""
    ada = next(e for e in World(tenancy.qlik, SOURCE).every("user") if e["subject"] == "auth0|ada")
    deleted = {"data": [ada | {"status": "deleted"}]}
    tenancy.qlik.control.add_fault(host=SOURCE, path="/api/v1/users", merge=deleted)
    with pytest.raises(Failure, match="no user of"):
        driver("tenant_admin").create(inputs_for(tenancy))


def test_several_admins(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Each administrator is a separate user."""
    on_source(tenancy, subject="auth0|grace", name="Grace", email="grace@example.com")
    ada = driver("tenant_admin").create(inputs_for(tenancy))
    grace = driver("tenant_admin").create({**inputs_for(tenancy), "email": "grace@example.com"})
    assert ada.id != grace.id
    ada.delete()
    assert held(tenancy, grace.id) == ["TenantAdmin"]


@pytest.mark.parametrize(
    "named", [{}, {"email": "ada@example.com", "subject": "auth0|ada"}], ids=["not at all", "twice"]
)
def test_a_person_is_named_once(driver: MakeDriver, tenancy: Tenancy, named: dict[str, str]) -> None:
    """A person has either an e-mail address or a subject. The check sends no request."""
    with pytest.raises(AssertionError, match=r"email: set either email or subject"):
        driver("tenant_admin").check({"tenant": tenancy.hostname, "source_tenant": SOURCE} | named)


def test_an_address_that_another_user_has(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The person on the source tenant has it, and here somebody of another subject does."""
    make(tenancy, subject="auth0|other")
    with pytest.raises(
        Failure, match=r"(?s)answered 409.*ada@example.com belongs to another user of .*auth0\|other"
    ):
        driver("tenant_admin").create(inputs_for(tenancy))


def test_a_killed_run_still_gave_it(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The note on disk says that the user was made for this, so deletion removes it all the same."""
    first = driver("tenant_admin").create(inputs_for(tenancy))
    second = driver("tenant_admin").create(inputs_for(tenancy))
    assert second.id == first.id
    assert second.state["created_user"]
    second.delete()
    assert found(tenancy, first.id) is None
    there = make(tenancy)
    third = driver("tenant_admin").create(inputs_for(tenancy))
    third.delete()
    assert held(tenancy, there) == [], "the note was about the user that is gone"


def test_a_lost_answer_makes_no_second_user(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The request is sent again, and what it finds is what it made."""
    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/users", drop_after=True, times=1)
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert admin.state["created_user"]
    assert remote(tenancy, admin.id) == {"role": "TenantAdmin", "status": "active"}


def test_half_made_is_recorded(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Where the role could not be given, the next run gives it, and takes it back in the end."""
    there = make(tenancy, "Developer")
    tenancy.qlik.control.add_fault(method="PATCH", path="/api/v1/users/*", status=403)
    with pytest.raises(Failure, match=f"exists, id {there}"):
        driver("tenant_admin").create(inputs_for(tenancy))
    tenancy.qlik.control.clear_faults()
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert held(tenancy, there) == ["Developer", "TenantAdmin"]
    admin.delete()
    assert held(tenancy, there) == ["Developer"]


def test_given_again_it_is_ours(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A role that was there before, was taken away and had to be given again, is taken back in the end."""
    there = make(tenancy, "TenantAdmin")
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert not admin.state["granted_role"]
    tenancy.world.patch(f"users/{there}", assignedRoles=[])
    assert admin.drift() == {"role": "none"}
    admin.update(admin.inputs)
    assert admin.state["granted_role"]
    admin.delete()
    assert held(tenancy, there) == []


def test_a_role_that_stays_is_told(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Nobody who is taken out of the file goes on as administrator without a word."""
    there = make(tenancy, "TenantAdmin")
    driver("tenant_admin").create(inputs_for(tenancy)).delete()
    assert held(tenancy, there) == ["TenantAdmin"]
    assert f"user {there} of {tenancy.hostname} keeps the role TenantAdmin" in tenancy.messages[-1]


@pytest.mark.parametrize(
    ("roles", "kept"), [(None, []), (["TenantAdmin"], ["TenantAdmin"])], ids=["a plain user", "still admin"]
)
def test_an_admin_who_becomes_a_user(
    driver: MakeDriver, tenancy: Tenancy, roles: list[str] | None, kept: list[str]
) -> None:
    """A person moves from `admins` to `users` in one run, and keeps the role only if the new entry has it."""
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    user, handler, id = driver("user"), admin.provider.handler, admin.id
    inputs = user.check({"tenant": tenancy.hostname, "subject": "auth0|ada", "roles": roles})
    with run.handling("urn:user", f"run that has {id}"):
        assert user.provider.handler.create(tenancy.cloud, inputs)[0] == id
        handler.release(tenancy.cloud, id, admin.state)
    assert held(tenancy, id) == kept


def test_a_change_that_was_made_in_part(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik can return 207. The error lists what it did not do, with the reason."""
    there = make(tenancy)
    body = {"errors": [{"code": "USERS-1", "title": "Role service away"}], "traceId": "t-1"}
    tenancy.qlik.control.add_fault(method="PATCH", path=f"/api/v1/users/{there}", status=207, body=body)
    with pytest.raises(Failure, match=r"role is still 'none'.*Role service away.*t-1"):
        driver("tenant_admin").create(inputs_for(tenancy))
