"""People in the component of a customer: users, administrators, and what they own and enter."""

from __future__ import annotations

from typing import Any

from tests.components.program import HOSTNAME, run

CUSTOMER: dict[str, Any] = {
    "name": "Globex",
    "users": {"Ada": {"subject": "auth0|ada", "roles": ["Developer"]}, "Grace": {"subject": "auth0|grace"}},
    "admins": {"Support": {"email": "support@example.com"}},
    "groups": {"Ada": {}},
    "spaces": {
        "Sales": {
            "type": "managed",
            "owner": "Grace",
            "access": {"Ada": ["consumer"]},
            "user_access": {"Ada": ["publisher"], "Support": ["facilitator"]},
            "bot_access": {"b77": ["publisher"]},
        },
        "Drafts": {"type": "shared", "owner": "Support"},
        "Other": {"type": "shared"},
    },
    "apps": {
        "Report": {
            "template": "Board Report",
            "version": "1.0.0",
            "staging": "Drafts",
            "join_template_space": True,
        }
    },
}


def test_what_the_stack_file_says_of_people() -> None:
    """A resource gets only the keys in the file. Tenantry does not change the rest."""
    resources, outputs = run(CUSTOMER)
    tenant = {"tenant": HOSTNAME}
    assert resources["User Ada"].inputs == tenant | {
        "subject": "auth0|ada",
        "roles": ["Developer"],
        "status": "active",
    }
    assert resources["User Grace"].inputs == tenant | {"subject": "auth0|grace", "status": "active"}
    assert resources["TenantAdmin Support"].inputs == tenant | {
        "source_tenant": "templates.eu.qlikcloud.com",
        "email": "support@example.com",
    }
    assert outputs["users"] == {"Ada": "id of Ada", "Grace": "id of Grace"}
    assert outputs["admins"] == {"Support": "id of Support"}
    assert resources["App Report"].inputs["join_template_space"] is True


def test_access_of_groups_people_and_bots() -> None:
    """Each assignment has its own name, even if a group and a user have the same key."""
    resources, _ = run(CUSTOMER)
    access = {
        each.name: (each.inputs["assignee"], each.inputs.get("type", "group"), each.inputs["roles"])
        for name, each in resources.items()
        if name.startswith("SpaceAssignment")
    }
    assert access == {
        "Ada in Sales": ("id of Ada", "group", ["consumer"]),
        "user Ada in Sales": ("id of Ada", "user", ["publisher"]),
        "user Support in Sales": ("id of Support", "user", ["facilitator"]),
        "bot b77 in Sales": ("b77", "bot", ["publisher"]),
    }


def test_owners_are_references() -> None:
    """Users and administrators can be owners. A space without an owner sets none."""
    resources, _ = run(CUSTOMER)
    assert resources["Space Sales"].inputs["owner"] == "id of Grace"
    assert resources["Space Sales"].references["owner"] == ["Grace"]
    assert resources["Space Drafts"].references["owner"] == ["Support"]
    assert "owner" not in resources["Space Other"].inputs


def test_people_go_with_the_tenant_and_come_before_the_lifecycle() -> None:
    resources, _ = run(CUSTOMER)
    for name in ("User Ada", "TenantAdmin Support", "SpaceAssignment bot b77 in Sales"):
        assert resources[name].deleted_with == "tenant"
        assert not resources[name].protect
    assert {"Ada", "Grace", "Support"} <= set(resources["TenantLifecycle lifecycle"].depends_on)


def test_renamed_keys_are_aliases() -> None:
    """Renames of people and of the spaces that they have access to."""
    customer = {
        "name": "Globex",
        "users": {"Countess": {"subject": "auth0|ada", "renamed_from": "Ada"}},
        "admins": {"Help": {"email": "support@example.com", "renamed_from": "Support"}},
        "spaces": {
            "Revenue": {
                "type": "managed",
                "renamed_from": "Sales",
                "user_access": {"Countess": ["consumer"]},
                "bot_access": {"b77": ["publisher"]},
            }
        },
    }
    resources, _ = run(customer)
    assert {name: set(each.former_names) for name, each in resources.items() if each.former_names} == {
        "User Countess": {"Ada"},
        "TenantAdmin Help": {"Support"},
        "Space Revenue": {"Sales"},
        "SpaceAssignment user Countess in Revenue": {
            "user Ada in Sales",
            "user Countess in Sales",
            "user Ada in Revenue",
        },
        "SpaceAssignment bot b77 in Revenue": {"bot b77 in Sales"},
    }
