"""People in a customer's component: users, administrators, and the spaces that they own or access."""

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


def test_people_get_only_the_keys_in_the_file() -> None:
    """Tenantry does not change their other properties at Qlik."""
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


def test_each_assignment_has_its_own_name() -> None:
    """This is true even if a group and a user have the same key."""
    resources, _ = run(CUSTOMER)
    access = {
        resource.name: (
            resource.inputs["assignee"],
            resource.inputs.get("type", "group"),
            resource.inputs["roles"],
        )
        for name, resource in resources.items()
        if name.startswith("SpaceAssignment")
    }
    assert access == {
        "Ada in Sales": ("id of Ada", "group", ["consumer"]),
        "user Ada in Sales": ("id of Ada", "user", ["publisher"]),
        "user Support in Sales": ("id of Support", "user", ["facilitator"]),
        "bot b77 in Sales": ("b77", "bot", ["publisher"]),
    }


def test_owners_are_references() -> None:
    """Users and administrators can own spaces. Without an owner in the file, the input is not set."""
    resources, _ = run(CUSTOMER)
    assert resources["Space Sales"].inputs["owner"] == "id of Grace"
    assert resources["Space Sales"].references["owner"] == ["Grace"]
    assert resources["Space Drafts"].references["owner"] == ["Support"]
    assert "owner" not in resources["Space Other"].inputs


def test_people_are_deleted_with_the_tenant_and_created_before_the_lifecycle() -> None:
    resources, _ = run(CUSTOMER)
    for name in ("User Ada", "TenantAdmin Support", "SpaceAssignment bot b77 in Sales"):
        assert resources[name].deleted_with == "tenant"
        assert not resources[name].protect
    assert {"Ada", "Grace", "Support"} <= set(resources["TenantLifecycle lifecycle"].depends_on)


def test_former_keys_become_aliases() -> None:
    """This applies to people and to the assignments that contain their keys."""
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
    former_names = {name: set(resource.former_names) for name, resource in resources.items()}
    assert {name: names for name, names in former_names.items() if names} == {
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
