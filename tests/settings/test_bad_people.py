"""Mistakes about people: users, administrators, owners and access to spaces."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

from tests.settings.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"
MANAGED = "basicconsumer, consumer, contributor, dataconsumer, facilitator, publisher"
ADA = "users: {Ada: {subject: a1, email: ada@x.com}}"

ONE_MISTAKE = [
    ("users: {Ada: {}}", "6: customer.users.Ada.subject: is missing"),
    (
        "users: {Ada: {subject: 77}}",
        '6: customer.users.Ada.subject: YAML reads 77 as a number; put it in quotes: subject: "77"',
    ),
    (
        "users: {Ada: {subject: a1, email: ada.x.com}}",
        '6: customer.users.Ada.email: "ada.x.com" is not an e-mail address; write it as ada@example.com',
    ),
    (
        "users: {Ada: {subject: a1, role: [Developer]}}",
        '6: customer.users.Ada.role: unknown key; the closest is "roles"; '
        "allowed: email, name, renamed_from, roles, status, subject",
    ),
    (
        "users: {Ada: {subject: a1, status: invited}}",
        '6: customer.users.Ada.status: "invited" is not allowed; allowed: active, disabled',
    ),
    (
        "users:\n  Ada: {subject: a1}\n  Bob: {subject: a1}",
        '8: customer.users.Bob.subject: subject "a1" already belongs to "Ada" under users',
    ),
    (
        "users:\n  Ada: {subject: a1, email: A@x.com}\n  Bob: {subject: b1, email: a@x.com}",
        '8: customer.users.Bob.email: email "a@x.com" already belongs to "Ada" under users',
    ),
    (
        "users:\n  A: {subject: a1, renamed_from: B}\n  B: {subject: b1}",
        '7: customer.users.A.renamed_from: "B" is still a key under users; a renamed entry has only its new key',
    ),
    (
        "admins: {Ada: {}}",
        "6: customer.admins.Ada.email: email or subject of the person on the source tenant is required",
    ),
    (
        "admins: {Ada: {email: ada@x.com, subject: a1}}",
        "6: customer.admins.Ada.subject: give email or subject, not both",
    ),
    (
        "admins: {Ada: {email: ada}}",
        '6: customer.admins.Ada.email: "ada" is not an e-mail address; write it as ada@example.com',
    ),
    (
        "admins: {Ada: {name: Ada, subject: a1}}",
        "6: customer.admins.Ada.name: unknown key; allowed: email, renamed_from, subject",
    ),
    (
        "admins:\n  Ada: {email: ada@x.com}\n  Boss: {email: Ada@x.com}",
        '8: customer.admins.Boss.email: email "Ada@x.com" already belongs to "Ada" under admins; '
        "to make a user an administrator, give it the role TenantAdmin",
    ),
    (
        f"{ADA}\nadmins:\n  Boss: {{email: ada@x.com}}",
        '8: customer.admins.Boss.email: email "ada@x.com" already belongs to "Ada" under users; '
        "to make a user an administrator, give it the role TenantAdmin",
    ),
    (
        f"{ADA}\nadmins:\n  Ada: {{email: boss@x.com}}",
        '8: customer.admins.Ada: "Ada" is also a key under users; keys of people must differ',
    ),
    (
        f"{ADA}\nspaces: {{Sales: {{type: managed, owner: Adda}}}}",
        '7: customer.spaces.Sales.owner: person "Adda" is not declared under users or admins; '
        'the closest is "Ada"; allowed: Ada',
    ),
    (
        "spaces: {Sales: {type: managed, user_access: {Ada: [consumer]}}}",
        '6: customer.spaces.Sales.user_access.Ada: person "Ada" is not declared under users or admins',
    ),
    (
        f"{ADA}\nspaces: {{Sales: {{type: managed, owner: Ada, user_access: {{Ada: [consumer]}}}}}}",
        '7: customer.spaces.Sales.user_access.Ada: "Ada" owns the space and so has every role; remove this entry',
    ),
    (
        f"{ADA}\nspaces: {{Sales: {{type: managed, user_access: {{Ada: [producer]}}}}}}",
        '7: customer.spaces.Sales.user_access.Ada: a managed space has no role "producer"; '
        f"allowed: {MANAGED}",
    ),
    (
        "spaces: {Sales: {type: managed, bot_access: {b1: [Consumer]}}}",
        '6: customer.spaces.Sales.bot_access.b1: a managed space has no role "Consumer"; '
        f'the closest is "consumer"; allowed: {MANAGED}',
    ),
    (
        "apps: {A: {template: T, version: '1', staging: S, join_template_space: 1}}\nspaces: {S: {type: shared}}",
        "6: customer.apps.A.join_template_space: must be true or false, not 1",
    ),
]


@pytest.mark.parametrize(
    ("customer", "expected"), ONE_MISTAKE, ids=[expected[:60] for _, expected in ONE_MISTAKE]
)
def test_a_mistake_is_reported_in_one_line(folder: Folder, customer: str, expected: str) -> None:
    assert folder.write(customer).problems() == [f"{FILE}:{expected}"]


def test_a_person_who_is_removed_but_still_used_is_a_problem(folder: Folder) -> None:
    plan = "admins: {Support: {email: s@x.com}}\nspaces: {Sales: {type: managed, owner: Support}}"
    (line,) = folder.write("plan: team\nadmins: {Support: }", team=plan).problems()
    assert 'spaces.Sales.owner: person "Support" is removed by' in line
    assert line.endswith("but still used here; remove this as well")


def test_users_and_administrators_can_own_and_access_spaces(folder: Folder) -> None:
    """A plan can declare the people that all its customers have."""
    customer = folder.write(
        """
        plan: team
        users: {Ada: {subject: a1, name: Ada, email: ada@x.com, roles: [Developer], status: disabled}}
        spaces:
          Sales: {type: managed, owner: Support, user_access: {Ada: [consumer]}, bot_access: {b1: [publisher]}}
          Data: {type: data, user_access: {Ada: [operator], Support: [datapreview]}}
        """,
        team="admins: {Support: {email: s@x.com}}",
    ).customer()
    assert customer.admins["Support"].email == "s@x.com"
    assert customer.users["Ada"].roles == ["Developer"]
    assert customer.spaces["Sales"].owner == "Support"
    assert customer.spaces["Data"].user_access == {"Ada": ["operator"], "Support": ["datapreview"]}


def test_an_empty_list_of_roles_differs_from_unset_roles(folder: Folder) -> None:
    customer = folder.write("users: {Ada: {subject: a1, roles: []}, Bob: {subject: b1}}").customer()
    assert customer.users["Ada"].roles == []
    assert customer.users["Bob"].roles is None
