"""A customer's component: names, parents, `deleted_with`, protection and renames."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.lookups.exports import export_for
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
WITH_WORK_OF_USERS = {
    "Tenant tenant",
    "Space Sales",
    "AppPublication Overview in Sales",
    "TenantLifecycle lifecycle",
    "TenantActivation activation",
}


def test_children_have_the_names_of_their_keys() -> None:
    """The component is their parent."""
    resources, _ = run(CUSTOMER)
    assert resources.keys() == NAMES
    component = resources.pop("QlikCustomerTenant globex")
    assert component.type == "qlik:index:QlikCustomerTenant"
    assert {resource.parent for resource in resources.values()} == {"globex"}
    assert all(resource.type.startswith("pulumi-python:dynamic/qlik:") for resource in resources.values())


def test_the_content_of_a_tenant_is_deleted_with_it() -> None:
    """A destroy then needs no request for each object.

    The resources that end the tenant are deleted separately before it, and the proof after it.
    """
    resources, _ = run(CUSTOMER)
    deleted_separately = {name for name, resource in resources.items() if not resource.deleted_with}
    assert deleted_separately == {
        "QlikCustomerTenant globex",
        "TenantProof proof",
        "Tenant tenant",
        "TenantLifecycle lifecycle",
        "TenantActivation activation",
    }
    assert {resource.deleted_with for resource in resources.values()} == {"", "tenant"}


@pytest.mark.parametrize("customer", [CUSTOMER, CUSTOMER | TRIAL], ids=["production", "trial"])
def test_the_proof_comes_before_the_tenant(customer: dict[str, Any]) -> None:
    """The proof depends on nothing, so it is in the state first. The tenant depends on it, so it goes last.

    It is neither protected nor deleted with the tenant. Otherwise it could not be renewed if its request
    created no tenant.
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


def test_the_proof_has_the_inputs_of_the_request_for_the_tenant() -> None:
    """The proof of a trial also has the last day of the trial. After that day, no request is sent."""
    resources, _ = run(CUSTOMER)
    inputs = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": "Globex"}
    assert resources["TenantProof proof"].inputs == inputs
    assert {name: resources["Tenant tenant"].inputs[name] for name in inputs} == inputs
    resources, _ = run(CUSTOMER | TRIAL)
    assert resources["TenantProof proof"].inputs == inputs | {"ends_on": "2999-12-31"}


def test_a_new_tenant_gets_the_templates_of_its_apps() -> None:
    """Tenant and app name a template in the same way, so both use one export."""
    resources, _ = run(CUSTOMER)
    apps = {
        name.removeprefix("App "): resource.inputs
        for name, resource in resources.items()
        if name.startswith("App ")
    }
    assert apps
    templates = resources["Tenant tenant"].inputs["templates"]
    assert {key: export_for(template) for key, template in templates.items()} == {
        key: export_for(app) for key, app in apps.items()
    }


def test_the_last_day_of_a_trial_includes_its_time_zone() -> None:
    """UTC is left out, because older versions did not write a time zone either."""
    lifecycle = TRIAL["lifecycle"] | {"time_zone": "Europe/Berlin"}
    resources, _ = run(CUSTOMER | {"lifecycle": lifecycle})
    for name in ("TenantProof proof", "TenantLifecycle lifecycle", "TenantActivation activation"):
        assert resources[name].inputs["ends_on"] == "2999-12-31 Europe/Berlin"


def test_pinned_links_are_created_in_the_order_of_their_keys() -> None:
    """Qlik shows links in the order of creation, and every customer must see the same order."""
    links = {name: {"link": "https://help.example"} for name in ("Support", "Help", "News")}
    resources, _ = run(CUSTOMER | {"pinned_links": links})
    dependencies = {name: resources[f"PinnedLink {name}"].depends_on for name in links}
    assert dependencies == {"Help": ["tenant"], "News": ["Help", "tenant"], "Support": ["News", "tenant"]}


@pytest.mark.parametrize("release", [None, False, True])
def test_release_entitlements_is_passed_only_if_it_is_true(release: bool | None) -> None:
    """A stack without the key gets no new property."""
    lifecycle = TRIAL["lifecycle"] | ({} if release is None else {"release_entitlements": release})
    resources, _ = run(CUSTOMER | {"lifecycle": lifecycle})
    assert resources["TenantLifecycle lifecycle"].inputs.get("release_entitlements") is (release or None)


def test_the_lifecycle_depends_on_everything() -> None:
    """It is created after everything except the activation, and therefore deleted before it.

    Only a new tenant can replace it.
    """
    resources, _ = run(CUSTOMER)
    lifecycle = resources["TenantLifecycle lifecycle"]
    others = {"QlikCustomerTenant globex", "TenantLifecycle lifecycle", "TenantActivation activation"}
    # It depends on the proof indirectly, through the tenant.
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
    """It is created last, and therefore deleted first, before the lifecycle deactivates the tenant.

    It is protected together with the lifecycle. Otherwise a destroy would remove it from the state before
    the protection of the lifecycle stops the destroy.
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
        (CUSTOMER, WITH_WORK_OF_USERS),
        (CUSTOMER | TRIAL, set()),
        (CUSTOMER | {"protect": False}, set()),
        (CUSTOMER | TRIAL | {"protect": True}, WITH_WORK_OF_USERS),
    ],
    ids=["production", "trial", "production, not protected", "trial, protected"],
)
def test_resources_with_work_of_users_are_protected(customer: dict[str, Any], protected: set[str]) -> None:
    """They are protected by default in production. The stack file can override the default."""
    resources, _ = run(customer)
    assert {name for name, resource in resources.items() if resource.protect} == protected


@pytest.mark.parametrize(
    ("customer", "block", "key", "names"),
    [
        (CUSTOMER, "spaces", "Sales", {"Space Sales"}),
        (CUSTOMER, "apps", "Overview", {"AppPublication Overview in Sales"}),
        (CUSTOMER | TRIAL, "spaces", "Staging", {"Space Staging"}),
        (CUSTOMER | TRIAL, "apps", "Overview", {"AppPublication Overview in Sales"}),
    ],
)
def test_a_space_or_an_app_can_override_the_protection(
    customer: dict[str, Any], block: str, key: str, names: set[str]
) -> None:
    """Its own key comes before the protection of the customer. The other resources do not change."""
    production = customer is CUSTOMER
    entries = customer[block] | {key: customer[block][key] | {"protect": not production}}
    resources, _ = run(customer | {block: entries})
    expected = WITH_WORK_OF_USERS - names if production else names
    assert {name for name, resource in resources.items() if resource.protect} == expected


def test_a_key_can_have_several_former_names() -> None:
    groups = {"Experts": {"renamed_from": ["Analysts", "Data Analysts"]}, "Viewers": {}}
    spaces = {key: space | {"access": {}} for key, space in CUSTOMER["spaces"].items()}
    resources, _ = run(CUSTOMER | {"groups": groups, "spaces": spaces})
    assert resources["Group Experts"].former_names == ["Analysts", "Data Analysts"]


def test_former_keys_become_aliases() -> None:
    """A resource that is named by two keys has an alias for each combination with a former key."""
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
    former_names = {name: set(resource.former_names) for name, resource in resources.items()}
    assert {name: names for name, names in former_names.items() if names} == {
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
    """Names and other outputs are unknown in the preview of a change, so they are never references."""
    resources, _ = run(CUSTOMER)
    inputs = {name: resource.inputs for name, resource in resources.items()}
    tenants = {properties["tenant"] for properties in inputs.values() if "tenant" in properties}
    assert tenants == {HOSTNAME}
    access = inputs["SpaceAssignment Viewers in Sales"]
    assert (access["space"], access["assignee"]) == ("id of Sales", "id of Viewers")
    assert inputs["App Overview"]["space"] == "id of Staging"
    published = inputs["AppPublication Overview in Sales"]
    assert (published["source_app"], published["space"]) == ("id of Overview", "id of Sales")


def test_a_publication_has_the_version_and_data_of_its_app() -> None:
    """The version is in its description. `data` is always set."""
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
def test_the_outputs_contain_everything_that_a_portal_needs(alias: dict[str, str], url: str) -> None:
    """The ids are listed by key."""
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


def test_revive_is_passed_to_the_tenant_and_its_proof() -> None:
    """The proof then says that there is no request for a new tenant."""
    revive = {"hostname": HOSTNAME, "tenant_id": TENANT_ID}
    resources, _ = run(CUSTOMER | {"revive": revive})
    assert resources["Tenant tenant"].inputs["revive"] == revive
    assert resources["TenantProof proof"].inputs["revives"] is True
    resources, _ = run(CUSTOMER)
    assert "revive" not in resources["Tenant tenant"].inputs
    assert "revives" not in resources["TenantProof proof"].inputs


def test_settings_and_identity_providers_get_only_the_keys_in_the_file() -> None:
    """Tenantry does not change the other settings at Qlik."""
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


def test_an_empty_block_of_settings_has_no_resource() -> None:
    """A missing block has none either."""
    for settings in ({}, {"auto_create_groups": None}, None):
        resources, _ = run(CUSTOMER | {"group_settings": settings, "license_settings": {}})
        assert not {name for name in resources if "settings" in name}


def test_former_keys_of_integrations_and_providers_become_aliases() -> None:
    """Entries with a new key keep their objects."""
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
