"""The component of a customer: names, parents, `deleted_with`, protection, renames."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.lookups.exports import needed
from tenantry.providers.values.pem import one_line
from tests.components.program import HOSTNAME, PROOF, TENANT_ID, run
from tests.keys import public_pem

CUSTOMER: dict[str, Any] = {
    "name": "Globex",
    "group_settings": {"auto_create_groups": True, "everyone_roles": []},
    "license_settings": {"auto_assign_analyzer": True},
    "web_integrations": {"Portal": {"origins": ["https://portal.example"]}},
    "jwt_identity_providers": {"signer": {"issuer": "oem", "kid": "one", "pem": one_line(public_pem())}},
    "users": {"Ada": {"subject": "auth0|ada"}},
    "admins": {"Support": {"email": "support@example.com"}},
    "groups": {"Analysts": {"roles": ["Developer", "AnalyticsAdmin"]}, "Viewers": {}},
    "spaces": {
        "Staging": {"type": "shared", "user_access": {"Ada": ["producer"]}},
        "Data": {"type": "data", "access": {"Analysts": ["producer"]}},
        "Sales": {"type": "managed", "access": {"Analysts": ["publisher"], "Viewers": ["consumer"]}},
    },
    "apps": {
        "Overview": {
            "template": "Sales Overview",
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
        },
        "Drafts": {"template_id": "ce043e01", "version": "1", "staging": "Staging", "data": False},
    },
}
TRIAL = {"lifecycle": {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10}}
NAMES = {
    "QlikCustomerTenant globex",
    "TenantProof proof",
    "Tenant tenant",
    "GroupSettings group settings",
    "LicenseSettings license settings",
    "WebIntegration Portal",
    "JwtIdentityProvider signer",
    "User Ada",
    "TenantAdmin Support",
    "SpaceAssignment user Ada in Staging",
    "Group Analysts",
    "Group Viewers",
    "Space Staging",
    "Space Data",
    "Space Sales",
    "SpaceAssignment Analysts in Data",
    "SpaceAssignment Analysts in Sales",
    "SpaceAssignment Viewers in Sales",
    "App Overview",
    "App Drafts",
    "AppPublication Overview in Sales",
    "TenantLifecycle lifecycle",
    "TenantActivation activation",
}
HOLDS_USERS_WORK = {
    "Tenant tenant",
    "Space Sales",
    "AppPublication Overview in Sales",
    "TenantLifecycle lifecycle",
    "TenantActivation activation",
}


def test_names_and_parents() -> None:
    """Children have the names of their keys in the stack file."""
    resources, _ = run(CUSTOMER)
    assert resources.keys() == NAMES
    component = resources.pop("QlikCustomerTenant globex")
    assert component.type == "qlik:index:QlikCustomerTenant"
    assert {each.parent for each in resources.values()} == {"globex"}
    assert all(each.type.startswith("pulumi-python:dynamic/qlik:") for each in resources.values())


def test_all_in_the_tenant_goes_with_the_tenant() -> None:
    """So that a destroy makes no request for each of them. What ends the tenant is deleted by itself, before
    it, and the proof after it.
    """
    resources, _ = run(CUSTOMER)
    without = {name for name, each in resources.items() if not each.deleted_with}
    assert without == {
        "QlikCustomerTenant globex",
        "TenantProof proof",
        "Tenant tenant",
        "TenantLifecycle lifecycle",
        "TenantActivation activation",
    }
    assert {each.deleted_with for each in resources.values()} == {"", "tenant"}


@pytest.mark.parametrize("customer", [CUSTOMER, CUSTOMER | TRIAL], ids=["production", "trial"])
def test_the_proof_comes_before_the_tenant(customer: dict[str, Any]) -> None:
    """It needs nothing, so that it is in the state first; and as the tenant needs it, it is deleted last.

    Protected or gone with the tenant, it could not be renewed where no tenant came of it.
    """
    resources, _ = run(customer)
    order = list(resources)
    proof, tenant = resources["TenantProof proof"], resources["Tenant tenant"]
    assert order.index("TenantProof proof") < order.index("Tenant tenant")
    assert (proof.depends_on, proof.references) == ([], {})
    assert (proof.deleted_with, proof.protect) == ("", False)
    assert tenant.depends_on == ["proof"]
    assert tenant.references == {"proof": ["proof"]}
    assert tenant.inputs["proof"] == PROOF


def test_what_the_proof_is_for() -> None:
    """What the request for the tenant will say; and for a trial its end, after which none is sent."""
    resources, _ = run(CUSTOMER)
    asked = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": "Globex"}
    assert resources["TenantProof proof"].inputs == asked
    assert {name: resources["Tenant tenant"].inputs[name] for name in asked} == asked
    resources, _ = run(CUSTOMER | TRIAL)
    assert resources["TenantProof proof"].inputs == asked | {"ends_on": "2999-12-31"}


def test_a_new_tenant_knows_which_templates_it_will_need() -> None:
    """Each template is named as in its app, so that both use one export."""
    resources, _ = run(CUSTOMER)
    apps = {name.removeprefix("App "): each.inputs for name, each in resources.items() if name[:4] == "App "}
    assert apps
    named = resources["Tenant tenant"].inputs["templates"]
    assert {key: needed(app) for key, app in named.items()} == {key: needed(app) for key, app in apps.items()}


def test_the_last_day_of_a_trial_is_one_in_its_time_zone() -> None:
    """For UTC the state contains no time zone, as in older versions."""
    there = TRIAL["lifecycle"] | {"time_zone": "Europe/Berlin"}
    resources, _ = run(CUSTOMER | {"lifecycle": there})
    for name in ("TenantProof proof", "TenantLifecycle lifecycle", "TenantActivation activation"):
        assert resources[name].inputs["ends_on"] == "2999-12-31 Europe/Berlin"


def test_pinned_links_are_made_in_the_order_of_their_keys() -> None:
    """Qlik shows links in the order of creation, and every customer must see the same order."""
    links = {name: {"link": "https://help.example"} for name in ("Support", "Help", "News")}
    resources, _ = run(CUSTOMER | {"pinned_links": links})
    before = {name: resources[f"PinnedLink {name}"].depends_on for name in links}
    assert before == {"Help": ["tenant"], "News": ["Help", "tenant"], "Support": ["News", "tenant"]}


@pytest.mark.parametrize("release", [None, False, True])
def test_entitlements_are_named_only_where_they_are_released(release: bool | None) -> None:
    """A stack without the key gets no new property."""
    lifecycle = TRIAL["lifecycle"] | ({} if release is None else {"release_entitlements": release})
    resources, _ = run(CUSTOMER | {"lifecycle": lifecycle})
    assert resources["TenantLifecycle lifecycle"].inputs.get("release_entitlements") is (release or None)


def test_the_lifecycle_depends_on_everything() -> None:
    """It is created after, and so deleted before, everything except the activation.

    Only the tenant can replace it.
    """
    resources, _ = run(CUSTOMER)
    lifecycle = resources["TenantLifecycle lifecycle"]
    others = {"QlikCustomerTenant globex", "TenantLifecycle lifecycle", "TenantActivation activation"}
    # Of the proof it knows through the tenant, which is in between.
    everything = {name.partition(" ")[2] for name in NAMES - others - {"TenantProof proof"}}
    assert set(lifecycle.depends_on) == everything
    assert (lifecycle.inputs["tenant"], lifecycle.inputs["tenant_id"]) == (HOSTNAME, TENANT_ID)
    assert lifecycle.references == {"tenant": ["tenant"], "tenant_id": ["tenant"]}


@pytest.mark.parametrize(
    ("customer", "ends_on", "protected"),
    [(CUSTOMER, None, True), (CUSTOMER | TRIAL, "2999-12-31", False)],
    ids=["production", "trial"],
)
def test_the_activation_depends_on_the_lifecycle(
    customer: dict[str, Any], ends_on: str | None, protected: bool
) -> None:
    """It is made last and so deleted first, before the lifecycle deactivates the tenant; and it is protected
    with that, or a destroy that the lifecycle's protection stops would have taken it out of the state.
    """
    resources, _ = run(customer)
    assert list(resources)[-1] == "TenantActivation activation"
    activation, lifecycle = resources["TenantActivation activation"], resources["TenantLifecycle lifecycle"]
    assert set(activation.depends_on) == {"lifecycle", "tenant"}
    assert activation.references == {"tenant": ["tenant"], "tenant_id": ["tenant"]}
    assert activation.inputs == {"tenant": HOSTNAME, "tenant_id": TENANT_ID} | (
        {"ends_on": ends_on} if ends_on else {}
    )
    assert (activation.protect, lifecycle.protect) == (protected, protected)
    assert activation.deleted_with == ""


@pytest.mark.parametrize(
    ("customer", "protected"),
    [
        (CUSTOMER, HOLDS_USERS_WORK),
        (CUSTOMER | TRIAL, set()),
        (CUSTOMER | {"protect": False}, set()),
        (CUSTOMER | TRIAL | {"protect": True}, HOLDS_USERS_WORK),
    ],
    ids=["production", "trial", "production, not protected", "trial, protected"],
)
def test_what_holds_users_work_is_protected(customer: dict[str, Any], protected: set[str]) -> None:
    """Resources are protected for production, and if the stack file says so."""
    resources, _ = run(customer)
    assert {name for name, each in resources.items() if each.protect} == protected


@pytest.mark.parametrize(
    ("customer", "block", "key", "names"),
    [
        (CUSTOMER, "spaces", "Sales", {"Space Sales"}),
        (CUSTOMER, "apps", "Overview", {"AppPublication Overview in Sales"}),
        (CUSTOMER | TRIAL, "spaces", "Staging", {"Space Staging"}),
        (CUSTOMER | TRIAL, "apps", "Overview", {"AppPublication Overview in Sales"}),
    ],
)
def test_a_space_or_an_app_says_otherwise_of_itself(
    customer: dict[str, Any], block: str, key: str, names: set[str]
) -> None:
    """The protection of the customer makes no difference, and nothing else changes."""
    production = customer is CUSTOMER
    entries = customer[block] | {key: customer[block][key] | {"protect": not production}}
    resources, _ = run(customer | {block: entries})
    expected = HOLDS_USERS_WORK - names if production else names
    assert {name for name, each in resources.items() if each.protect} == expected


def test_a_key_may_have_had_several_names() -> None:
    groups = {"Experts": {"renamed_from": ["Analysts", "Data Analysts"]}, "Viewers": {}}
    spaces = {key: each | {"access": {}} for key, each in CUSTOMER["spaces"].items()}
    resources, _ = run(CUSTOMER | {"groups": groups, "spaces": spaces})
    assert resources["Group Experts"].former_names == ["Analysts", "Data Analysts"]


def test_renamed_keys_are_aliases() -> None:
    """Of what is named by one key, and of what is named by two, either or both of which are new."""
    customer = CUSTOMER | {
        "groups": {"Experts": {"renamed_from": "Analysts"}, "Viewers": {}},
        "spaces": {
            "Staging": {"type": "shared"},
            "Revenue": {
                "type": "managed",
                "renamed_from": "Sales",
                "access": {"Experts": ["publisher"], "Viewers": ["consumer"]},
            },
        },
        "apps": {
            "Summary": {
                "template": "Sales Overview",
                "version": "2.3.0",
                "staging": "Staging",
                "publish_to": ["Revenue"],
                "renamed_from": "Overview",
            }
        },
    }
    resources, _ = run(customer)
    assert {name: set(each.former_names) for name, each in resources.items() if each.former_names} == {
        "Group Experts": {"Analysts"},
        "Space Revenue": {"Sales"},
        "SpaceAssignment Experts in Revenue": {
            "Analysts in Sales",
            "Experts in Sales",
            "Analysts in Revenue",
        },
        "SpaceAssignment Viewers in Revenue": {"Viewers in Sales"},
        "App Summary": {"Overview"},
        "AppPublication Summary in Revenue": {
            "Overview in Sales",
            "Summary in Sales",
            "Overview in Revenue",
        },
    }


def test_references_are_ids() -> None:
    """References never use names or other outputs, because a preview of a change does not know them."""
    resources, _ = run(CUSTOMER)
    inputs = {name: each.inputs for name, each in resources.items()}
    tenants = {each["tenant"] for name, each in inputs.items() if "tenant" in each}
    assert tenants == {HOSTNAME}
    access = inputs["SpaceAssignment Viewers in Sales"]
    assert (access["space"], access["assignee"]) == ("id of Sales", "id of Viewers")
    assert inputs["App Overview"]["space"] == "id of Staging"
    published = inputs["AppPublication Overview in Sales"]
    assert (published["source_app"], published["space"]) == ("id of Overview", "id of Sales")


def test_what_the_stack_file_says_of_apps() -> None:
    """The description of a publication contains the version, and `data` is always set."""
    resources, _ = run(CUSTOMER)
    published = resources["AppPublication Overview in Sales"].inputs
    assert published["description"] == "{v2.3.0}"
    assert published["data"] == "source"
    customer = CUSTOMER | {
        "apps": {"Overview": CUSTOMER["apps"]["Overview"] | {"data": False}},
    }
    resources, _ = run(customer)
    assert resources["AppPublication Overview in Sales"].inputs["data"] == "target"
    assert resources["App Overview"].inputs["data"] is False


@pytest.mark.parametrize(
    ("alias", "url"),
    [({}, f"https://{HOSTNAME}"), ({"alias": "globex"}, "https://globex.eu.qlikcloud.com")],
    ids=["without an alias", "with an alias"],
)
def test_outputs(alias: dict[str, str], url: str) -> None:
    """The outputs contain everything that a portal needs, by key."""
    _, outputs = run(CUSTOMER | alias)
    assert outputs == {
        "hostname": HOSTNAME,
        "url": url,
        "tenant_id": TENANT_ID,
        "web_integrations": {"Portal": "id of Portal"},
        "users": {"Ada": "id of Ada"},
        "admins": {"Support": "id of Support"},
        "groups": {"Analysts": "id of Analysts", "Viewers": "id of Viewers"},
        "spaces": {name: f"id of {name}" for name in CUSTOMER["spaces"]},
        "apps": {
            "Overview": {
                "Sales": {
                    "id": "id of Overview in Sales",
                    "url": f"https://{HOSTNAME}/sense/app/Overview in Sales",
                }
            },
            "Drafts": {},
        },
    }


def test_a_tenant_to_take_back() -> None:
    """The stack file names the tenant, and the proof says that there is no request."""
    revive = {"hostname": HOSTNAME, "tenant_id": TENANT_ID}
    resources, _ = run(CUSTOMER | {"revive": revive})
    assert resources["Tenant tenant"].inputs["revive"] == revive
    assert resources["TenantProof proof"].inputs["revives"] is True
    resources, _ = run(CUSTOMER)
    assert "revive" not in resources["Tenant tenant"].inputs
    assert "revives" not in resources["TenantProof proof"].inputs


def test_settings_and_ways_to_log_in() -> None:
    """A resource gets only the keys in the file. Tenantry does not change the rest."""
    resources, _ = run(CUSTOMER)
    assert resources["GroupSettings group settings"].inputs == {
        "tenant": HOSTNAME,
        "auto_create_groups": True,
        "everyone_roles": [],
    }
    licences = resources["LicenseSettings license settings"].inputs
    assert licences == {"tenant": HOSTNAME, "auto_assign_analyzer": True}
    assert resources["WebIntegration Portal"].inputs["valid_origins"] == ["https://portal.example"]
    signer = resources["JwtIdentityProvider signer"].inputs
    assert (signer["issuer"], signer["kid"], signer["pem"]) == ("oem", "one", one_line(public_pem()))
    assert signer["clock_tolerance_seconds"] == 5


def test_settings_that_say_nothing_are_no_resource() -> None:
    """There is also none for a customer without such a block."""
    for settings in ({}, {"auto_create_groups": None}, None):
        resources, _ = run(CUSTOMER | {"group_settings": settings, "license_settings": {}})
        assert not {name for name in resources if "settings" in name}


def test_keys_of_entries_that_are_renamed() -> None:
    """Renamed entries keep their objects."""
    resources, _ = run(
        CUSTOMER
        | {
            "web_integrations": {"Web": {"origins": ["https://a.example"], "renamed_from": "Portal"}},
            "jwt_identity_providers": {
                "next": CUSTOMER["jwt_identity_providers"]["signer"] | {"renamed_from": "signer"}
            },
        }
    )
    assert resources["WebIntegration Web"].former_names == ["Portal"]
    assert resources["JwtIdentityProvider next"].former_names == ["signer"]
