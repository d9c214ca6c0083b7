"""Tenant administrators. They are users of the source tenant."""

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


def find_user(tenancy: Tenancy, id: str) -> dict[str, Any] | None:
    return next((user for user in tenancy.world.every("user") if user["id"] == id), None)


def roles_of(tenancy: Tenancy, id: str) -> list[str]:
    """Return the sorted roles of a user."""
    return sorted(role["name"] for role in (find_user(tenancy, id) or {})["assignedRoles"])


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    user = find_user(tenancy, id)
    if user is None:
        return None
    assert {name: user[name] for name in ADA} == ADA, (
        "the user does not have the subject, address and name of the source tenant"
    )
    return {
        "role": "TenantAdmin" if "TenantAdmin" in roles_of(tenancy, id) else "none",
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


def create_source_user(tenancy: Tenancy, **fields: Any) -> str:
    """Create a user of the source tenant. Return its id."""
    body = {"status": "active", **fields}
    return str(World(tenancy.qlik, SOURCE).request("POST", "users", body)["id"])


def create_ada(tenancy: Tenancy, *names: str, **fields: Any) -> str:
    """Create Ada as a user of the customer's tenant by hand, with the roles. Return her id."""
    body = {**ADA, "status": "active", "assignedRoles": [{"name": name} for name in names], **fields}
    return str(tenancy.world.request("POST", "users", body)["id"])


def test_an_administrator_can_be_named_by_subject(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The user gets the name and the address from the source tenant."""
    admin = driver("tenant_admin").create(
        {"tenant": tenancy.hostname, "source_tenant": SOURCE, "subject": "auth0|ada"}
    )
    assert remote(tenancy, admin.id) == {"role": "TenantAdmin", "status": "active"}
    assert admin.state["user_subject"] == "auth0|ada"


@pytest.mark.parametrize(
    ("names", "is_granted"),
    [(["AnalyticsAdmin"], True), (["AnalyticsAdmin", "TenantAdmin"], False)],
    ids=["without the role", "with the role"],
)
def test_an_existing_user_keeps_other_roles(
    driver: MakeDriver, tenancy: Tenancy, names: list[str], is_granted: bool
) -> None:
    """Create adds the role to those of the user. Delete removes only a role that create added."""
    existing_id = create_ada(tenancy, *names)
    tenancy.requests()
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert admin.id == existing_id
    assert roles_of(tenancy, existing_id) == ["AnalyticsAdmin", "TenantAdmin"]
    writes = [line for line in tenancy.requests() if not line.startswith("GET ")]
    assert writes == [line.format(id=existing_id) for line in PATCH if is_granted]
    assert any("already exists" in line and existing_id in line for line in tenancy.messages)
    admin.delete()
    assert roles_of(tenancy, existing_id) == sorted(set(names) - ({"TenantAdmin"} if is_granted else set()))
    admin.delete()


@pytest.mark.parametrize("status", ["invited", "disabled"])
def test_a_user_who_cannot_log_in_is_activated(driver: MakeDriver, tenancy: Tenancy, status: str) -> None:
    """One request sets the status and adds the role."""
    existing_id = create_ada(tenancy, status="invited")
    tenancy.world.patch(f"users/{existing_id}", status=status)
    tenancy.requests()
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert [line for line in tenancy.requests() if "GET" not in line] == [
        f"PATCH /api/v1/users/{existing_id}"
    ]
    assert admin.drift() == {}
    assert remote(tenancy, existing_id) == {"role": "TenantAdmin", "status": "active"}


def test_the_error_of_an_unknown_address_suggests_the_closest_one(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """The message is one line, and no user is created."""
    with pytest.raises(Failure) as caught:
        driver("tenant_admin").create({**inputs_for(tenancy), "email": "ada@example.org"})
    message = str(caught.value)
    assert "\n" not in message
    for words in (f"no user of {SOURCE}", "'ada@example.org'", "the closest is ada@example.com", "auth0|ada"):
        assert words in message
    inputs = {"tenant": tenancy.hostname, "source_tenant": SOURCE, "subject": "auth0|nobody"}
    with pytest.raises(Failure, match=r"has the subject 'auth0\|nobody'; no similar user exists"):
        driver("tenant_admin").create(inputs)
    assert [user["name"] for user in tenancy.world.every("user") if "clientId" not in user] == []


def test_the_error_of_an_ambiguous_address_lists_the_subjects(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Addresses at Qlik were not always unique."""
    users = World(tenancy.qlik, SOURCE).every("user")
    ada = next(user for user in users if user["subject"] == "auth0|ada")
    two_users = {"data": [ada, ada | {"id": "u2", "subject": "auth0|ada2"}]}
    tenancy.qlik.control.add_fault(host=SOURCE, path="/api/v1/users", merge=two_users)
    with pytest.raises(Failure) as caught:
        driver("tenant_admin").create(inputs_for(tenancy))
    message = str(caught.value)
    assert "\n" not in message
    for words in ("2 users of", "`subject`", "subject auth0|ada,", "subject auth0|ada2,", "u2"):
        assert words in message


def test_a_deleted_user_of_the_source_tenant_is_not_found(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik can still list deleted users."""
    users = World(tenancy.qlik, SOURCE).every("user")
    ada = next(user for user in users if user["subject"] == "auth0|ada")
    deleted = {"data": [ada | {"status": "deleted"}]}
    tenancy.qlik.control.add_fault(host=SOURCE, path="/api/v1/users", merge=deleted)
    with pytest.raises(Failure, match="no user of"):
        driver("tenant_admin").create(inputs_for(tenancy))


def test_each_administrator_is_a_separate_user(driver: MakeDriver, tenancy: Tenancy) -> None:
    create_source_user(tenancy, subject="auth0|grace", name="Grace", email="grace@example.com")
    ada = driver("tenant_admin").create(inputs_for(tenancy))
    grace = driver("tenant_admin").create({**inputs_for(tenancy), "email": "grace@example.com"})
    assert ada.id != grace.id
    ada.delete()
    assert roles_of(tenancy, grace.id) == ["TenantAdmin"]


@pytest.mark.parametrize(
    "identity", [{}, {"email": "ada@example.com", "subject": "auth0|ada"}], ids=["neither", "both"]
)
def test_an_administrator_is_named_either_by_address_or_by_subject(
    driver: MakeDriver, tenancy: Tenancy, identity: dict[str, str]
) -> None:
    with pytest.raises(AssertionError, match=r"email: set either email or subject"):
        driver("tenant_admin").check({"tenant": tenancy.hostname, "source_tenant": SOURCE} | identity)


def test_an_address_of_another_user_is_an_error(driver: MakeDriver, tenancy: Tenancy) -> None:
    """In this tenant, a user with another subject has the address."""
    create_ada(tenancy, subject="auth0|other")
    with pytest.raises(
        Failure, match=r"(?s)answered 409.*ada@example.com belongs to another user of .*auth0\|other"
    ):
        driver("tenant_admin").create(inputs_for(tenancy))


def test_the_user_of_a_killed_run_is_deleted_in_the_end(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The note of the killed run says that Tenantry created the user."""
    first = driver("tenant_admin").create(inputs_for(tenancy))
    second = driver("tenant_admin").create(inputs_for(tenancy))
    assert second.id == first.id
    assert second.state["created_user"]
    second.delete()
    assert find_user(tenancy, first.id) is None
    existing_id = create_ada(tenancy)
    third = driver("tenant_admin").create(inputs_for(tenancy))
    third.delete()
    assert roles_of(tenancy, existing_id) == [], "the note is about another user, which was deleted"


def test_a_lost_response_creates_no_second_user(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry repeats the request and then finds the user that the first request created."""
    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/users", drop_after=True, times=1)
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert admin.state["created_user"]
    assert remote(tenancy, admin.id) == {"role": "TenantAdmin", "status": "active"}


def test_the_next_run_adds_a_missing_role_and_removes_it_in_the_end(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """The first run failed to add the role to an existing user."""
    existing_id = create_ada(tenancy, "Developer")
    tenancy.qlik.control.add_fault(method="PATCH", path="/api/v1/users/*", status=403)
    with pytest.raises(Failure, match=f"exists, id {existing_id}"):
        driver("tenant_admin").create(inputs_for(tenancy))
    tenancy.qlik.control.clear_faults()
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert roles_of(tenancy, existing_id) == ["Developer", "TenantAdmin"]
    admin.delete()
    assert roles_of(tenancy, existing_id) == ["Developer"]


def test_a_role_that_an_update_restores_is_removed_in_the_end(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The user had the role before, and somebody removed it."""
    existing_id = create_ada(tenancy, "TenantAdmin")
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    assert not admin.state["granted_role"]
    tenancy.world.patch(f"users/{existing_id}", assignedRoles=[])
    assert admin.drift() == {"role": "none"}
    admin.update(admin.inputs)
    assert admin.state["granted_role"]
    admin.delete()
    assert roles_of(tenancy, existing_id) == []


def test_a_message_names_a_user_who_keeps_the_role(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The stack file does not list the user any more, but the user is still an administrator."""
    existing_id = create_ada(tenancy, "TenantAdmin")
    driver("tenant_admin").create(inputs_for(tenancy)).delete()
    assert roles_of(tenancy, existing_id) == ["TenantAdmin"]
    assert f"user {existing_id} of {tenancy.hostname} keeps the role TenantAdmin" in tenancy.messages[-1]


@pytest.mark.parametrize(
    ("roles", "remaining_roles"),
    [(None, []), (["TenantAdmin"], ["TenantAdmin"])],
    ids=["plain user", "still administrator"],
)
def test_an_administrator_can_become_a_user(
    driver: MakeDriver, tenancy: Tenancy, roles: list[str] | None, remaining_roles: list[str]
) -> None:
    """The person moves from `admins` to `users` in one run. The new entry decides about the role."""
    admin = driver("tenant_admin").create(inputs_for(tenancy))
    user, handler, id = driver("user"), admin.provider.handler, admin.id
    inputs = user.check({"tenant": tenancy.hostname, "subject": "auth0|ada", "roles": roles})
    with run.handling("urn:user", f"run that has {id}"):
        assert user.provider.handler.create(tenancy.cloud, inputs)[0] == id
        handler.release(tenancy.cloud, id, admin.state)
    assert roles_of(tenancy, id) == remaining_roles


def test_a_partial_update_is_an_error(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik can return 207. The error lists what Qlik did not change, with the reason."""
    existing_id = create_ada(tenancy)
    body = {"errors": [{"code": "USERS-1", "title": "Role service away"}], "traceId": "t-1"}
    tenancy.qlik.control.add_fault(method="PATCH", path=f"/api/v1/users/{existing_id}", status=207, body=body)
    with pytest.raises(Failure, match=r"role is still 'none'.*Role service away.*t-1"):
        driver("tenant_admin").create(inputs_for(tenancy))
