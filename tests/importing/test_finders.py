"""The objects of an existing tenant, their entries in the file, and the unmanaged objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.importing import ImportRefused
from tenantry.importing.minimal import minimal
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers import app
from tenantry.providers.framework.facts import nothing_created, nothing_created_in
from tenantry.providers.lookups import people
from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.messages import Part
from tenantry.providers.tenants import lifetime
from tenantry.providers.values import pem
from tests import archives, pictures
from tests.importing.conftest import Find
from tests.importing.tenants import SOURCE, create_by_scripts, import_template, oauth_client
from tests.keys import public_pem
from tests.world import World, writes


def test_the_objects_of_the_example_scripts_are_found(qlik: Emulator, folder: Path, find: Find) -> None:
    world = create_by_scripts(qlik, folder)
    qlik.control.clear_requests()
    found = find(world)
    assert writes(qlik.control.requests()) == []
    customer = found.customer
    assert (customer["name"], customer["alias"], customer["protect"]) == (world.tenant["name"], "acme", True)
    assert customer["groups"] == {
        "Analytics Consumers": {
            "name": "Analytics Consumers",
            "provider_type": "idp",
            "roles": ["AnalyticsAdmin", "AuditAdmin"],
            "description": None,
        }
    }
    assert customer["spaces"]["Sales"]["access"] == {"Analytics Consumers": ["consumer"]}
    assert customer["apps"] == {
        "Sales Overview": {
            "name": "Sales Overview",
            "description": "Revenue by region and product",
            "template": "Sales Overview",
            "template_id": None,
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
        }
    }
    ids = {(item.kind, item.id) for item in found.objects}
    assert ("AppPublication", world.apps["Sales", "Sales Overview"]["id"]) in ids
    assert ("SpaceAssignment", world.assignment("Sales", "Analytics Consumers")["id"]) in ids
    assert found.unmanaged == []


def test_the_tenant_is_found_with_its_proof_lifecycle_and_activation(
    qlik: Emulator, folder: Path, find: Find
) -> None:
    """The state is the same as for a tenant that the stack created. The proof is unused."""
    world = create_by_scripts(qlik, folder)
    tenant_id = world.tenant["id"]
    objects = {item.kind: item for item in find(world).objects}
    assert (objects["Tenant"].id, objects["Tenant"].live["tenant_id"]) == (world.hostname, tenant_id)
    for kind in "TenantLifecycle", "TenantActivation":
        assert (objects[kind].id, objects[kind].live) == (world.hostname, {"tenant_id": tenant_id})
    proof = objects["TenantProof"]
    assert proof.live == {"proof": {"id": proof.id, "name": world.tenant["name"], "unused": True}}
    # Messages name the proof by its id, so the id must have the right form.
    assert nothing_created_in(nothing_created(proof.id)) == proof.id
    second_proof = next(item for item in find(world).objects if item.kind == "TenantProof")
    assert second_proof.id != proof.id, "each import has its own proof"


def test_settings_and_logins_are_found(qlik: Emulator, folder: Path, find: Find) -> None:
    world = create_by_scripts(qlik, folder)
    found = find(world)
    assert found.customer["group_settings"] == {"auto_create_groups": True, "sync_idp_groups": False}
    assert found.customer["license_settings"] == {
        "auto_assign_professional": False,
        "auto_assign_analyzer": True,
    }
    origins = ["http://localhost:3000", "https://portal.example.com"]
    assert found.customer["web_integrations"] == {"Portal": {"name": "Portal", "origins": origins}}
    links = {"Help": {"name": "Help", "link": "https://help.example.com"}}
    assert found.customer["pinned_links"] == links
    csp_origins = found.customer["csp_origins"]
    assert {key: (entry["name"], entry["origin"]) for key, entry in csp_origins.items()} == {
        "Portal": ("Portal", "portal.example.com"),
        "cdn.example.com": ("cdn.example.com", "cdn.example.com"),
    }
    assert [name for name, value in csp_origins["Portal"].items() if value is True] == ["frame_ancestors"]
    [webhook] = found.customer["webhooks"].values()
    assert (webhook["name"], webhook["enabled"]) == ("Portal", True)
    assert webhook["event_types"] == ["com.qlik.v1.user.created"]
    provider = found.customer["jwt_identity_providers"]["portal-1"]
    assert (provider["issuer"], provider["kid"]) == ("https://portal.example.com", "portal-1")
    assert pem.one_line(provider["pem"]) == pem.one_line(public_pem())
    [settings] = [item for item in found.objects if item.kind == "LicenseSettings"]
    assert settings.live["before"] == found.customer["license_settings"]


def test_a_key_that_the_plan_has_in_a_file_stays_there(qlik: Emulator, folder: Path, find: Find) -> None:
    world = create_by_scripts(qlik, folder)
    key = {
        "issuer": "https://portal.example.com",
        "kid": "portal-1",
        "pem_file": "portal.pem",
        "description": "Portal",
    }
    same = find(world, jwt_identity_providers={"Portal": key | {"pem": public_pem()}})
    assert "jwt_identity_providers" not in minimal(same)
    other = find(world, jwt_identity_providers={"Portal": key | {"pem": public_pem("two")}})
    entry = minimal(other)["jwt_identity_providers"]["Portal"]
    assert entry["pem_file"] is None
    assert pem.one_line(entry["pem"]) == pem.one_line(public_pem())


def test_administrators_who_are_users_of_the_source_tenant_are_found(
    qlik: Emulator, folder: Path, find: Find, cloud: Cloud
) -> None:
    world = create_by_scripts(qlik, folder)
    users = "/api/v1/users"
    body = {"name": "Ada Admin", "subject": "auth0|ada", "email": "ada@example.com", "status": "active"}
    admin = {"assignedRoles": [{"name": "TenantAdmin"}]}
    ada = cloud.tenant(world.hostname).post(users, body | admin)["id"]
    other = {"name": "Bo", "subject": "auth0|bo", "email": "bo@example.com", "status": "active"}
    bo = cloud.tenant(world.hostname).post(users, other | admin)["id"]
    share = {"type": "user", "roles": ["consumer"]}
    space = f"/api/v1/spaces/{world.spaces['Sales']['id']}/assignments"
    for user in ada, bo:
        cloud.tenant(world.hostname).post(space, share | {"assigneeId": user})
    found = find(world)
    assert minimal(found)["admins"] == {"Ada Admin": {"email": "ada@example.com"}}
    assert found.customer["spaces"]["Sales"]["user_access"] == {"Ada Admin": ["consumer"]}
    assert found.unmanaged == ["1 user", 'access to space "Sales": of 1 user']
    [admin_found] = [item for item in found.objects if item.kind == "TenantAdmin"]
    assert (admin_found.id, admin_found.live["created_user"], admin_found.live["granted_role"]) == (
        ada,
        False,
        False,
    )
    with_plan = find(
        world, users={"bo": {"subject": "auth0|bo", "email": "bo@example.com"}, "cy": {"subject": "cy"}}
    )
    assert with_plan.customer["users"] == {
        "bo": {"subject": "auth0|bo", "status": "active", "email": "bo@example.com"}
    }
    assert minimal(with_plan)["users"] == {"cy": None}


@pytest.mark.parametrize("status", ["invited", "disabled"])
def test_an_administrator_who_cannot_log_in_is_listed_as_unmanaged(
    qlik: Emulator, folder: Path, find: Find, cloud: Cloud, status: str
) -> None:
    """It makes no difference whether they are users of the source tenant."""
    world = create_by_scripts(qlik, folder)
    host = cloud.tenant(world.hostname)
    admin = {
        "status": "invited" if status == "invited" else "active",
        "assignedRoles": [{"name": "TenantAdmin"}],
    }
    known = {"name": "Ada Admin", "subject": "auth0|ada", "email": "ada@example.com"}
    for person in known, {"subject": "auth0|bo", "email": "bo@example.com"}:
        user = host.post("/api/v1/users", person | admin)
        if status != user["status"]:
            host.patch(f"/api/v1/users/{user['id']}", [people.replace_value("status", status)])
    host.post("/api/v1/users", {"name": "Cy", "subject": "auth0|cy", "status": "active"})
    found = find(world)
    assert "admins" not in minimal(found)
    assert [item for item in found.objects if item.kind == "TenantAdmin"] == []
    assert sorted(found.unmanaged) == [
        "1 user",
        f"administrator Ada Admin (status {status})",
        f"administrator bo@example.com (status {status})",
    ]


def test_the_owner_of_a_space_is_found_only_if_it_is_the_owner_in_the_plan(
    qlik: Emulator, folder: Path, find: Find, cloud: Cloud
) -> None:
    world = create_by_scripts(qlik, folder)
    body = {"name": "Bo", "subject": "auth0|bo", "email": "bo@example.com", "status": "active"}
    bo = cloud.tenant(world.hostname).post("/api/v1/users", body)["id"]
    world.patch(f"spaces/{world.spaces['Sales']['id']}", ownerId=bo)
    plan = {
        "users": {"bo": {"subject": "auth0|bo"}},
        "spaces": {"Sales": {"owner": "bo"}, "Staging": {"owner": "bo"}},
    }
    found = find(world, **plan).customer["spaces"]
    assert (found["Sales"]["owner"], found["Staging"]["owner"]) == ("bo", None)


def test_two_web_integrations_of_one_name_are_not_imported(qlik: Emulator, folder: Path, find: Find) -> None:
    world = create_by_scripts(qlik, folder)
    world.request(
        "POST", "web-integrations", {"name": "Portal", "validOrigins": ["https://other.example.com"]}
    )
    found = find(world)
    assert "web_integrations" not in found.customer
    assert len([line for line in found.unmanaged if "another one has the same name" in line]) == 2


def test_the_files_of_a_theme_are_not_imported(qlik: Emulator, folder: Path, find: Find) -> None:
    """The import lists the theme, and names the block for it."""
    world = create_by_scripts(qlik, folder)
    id = world.request("POST", "themes", archives.form(archives.THEME))["id"]
    found = find(world)
    assert "themes" not in found.customer
    [line] = [line for line in found.unmanaged if line.startswith(f'theme "Corporate" ({id})')]
    assert "`themes`, with `adopt: true`" in line


def test_the_content_of_data_files_is_not_imported(
    qlik: Emulator, folder: Path, find: Find, cloud: Cloud
) -> None:
    """The import lists each data file of a space.

    If the client cannot list them, the import says so and continues.
    """
    world = create_by_scripts(qlik, folder)
    space = world.spaces["Staging"]["id"]
    (connection,) = world.request("GET", f"data-files/connections?spaceId={space}")["data"]
    for location in ({"connectionId": connection["id"]}, {}):
        parts = {
            "Json": Part(json.dumps({"name": "rates.csv", **location}).encode(), "application/json"),
            "File": Part(b"a", "text/csv", "rates.csv"),
        }
        cloud.tenant(world.hostname).send_form("POST", "/api/v1/data-files", parts)
    found = find(world)
    assert "data_files" not in found.customer
    lines = [line for line in found.unmanaged if "data file" in line]
    (id,) = [file["id"] for file in world.every("data-file") if file.get("spaceId") == space]
    assert any(line.startswith(f'data file "rates.csv" in space "Staging" ({id}): ') for line in lines)
    assert "1 data file in personal spaces" in lines
    assert "`data_files`, with `adopt: true`" in "".join(lines)
    qlik.control.add_fault(path="/api/v1/data-files", status=403)
    assert [line for line in find(world).unmanaged if line.startswith("data files: the client cannot list")]


def test_only_oauth_clients_that_a_file_can_describe_are_imported(
    qlik: Emulator, folder: Path, find: Find
) -> None:
    """The import gives a reason for the others."""
    world = create_by_scripts(qlik, folder)
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": "x", "e": "AQAB"}
    for body in (
        oauth_client("Twice"),
        oauth_client("Twice", description="Another"),
        oauth_client("Key", allowedAuthMethods=["private_key_jwt"], publicKeys=[key]),
        {"clientName": "Guests", "appType": "anonymous-embed"},
        {"clientName": "Page", "appType": "spa", "allowedOrigins": ["https://portal.example"]},
    ):
        world.request("POST", "oauth-clients", body)
    found = find(world)
    clients = found.customer["oauth_clients"]
    assert clients["Server"] == {
        "name": "Server",
        "app_type": "web",
        "description": None,
        "redirect_uris": [],
        "origins": [],
        "scopes": ["user_default"],
        "grant_types": ["client_credentials"],
        "consent": "trusted",
    }
    assert (clients.keys(), clients["Page"]["consent"]) == ({"Server", "Page"}, "required")
    lines = [line.partition(")")[::2] for line in found.unmanaged if line.startswith("OAuth client")]
    assert [(client.partition(" (")[0], reason) for client, reason in lines] == [
        ('OAuth client "Guests"', ": its type is anonymous-embed"),
        ('OAuth client "Key"', ": it has its own key instead of a secret"),
        ('OAuth client "Twice"', ": another one has the same name"),
        ('OAuth client "Twice"', ": another one has the same name"),
    ]


def test_the_files_of_a_brand_are_not_imported(qlik: Emulator, folder: Path, find: Find) -> None:
    """The import handles them like the files of a theme."""
    world = create_by_scripts(qlik, folder)
    id = world.request("POST", "brands", pictures.brand("Globex", logo=pictures.PNG))["id"]
    found = find(world)
    assert "brands" not in found.customer
    [line] = [line for line in found.unmanaged if line.startswith(f'brand "Globex" ({id})')]
    assert "`brands`, with `adopt: true`" in line


TASKS = "/api/scheduling/tasks"


def test_only_reload_tasks_of_publications_are_imported(qlik: Emulator, folder: Path, find: Find) -> None:
    """A task that waits for another one is imported together with it. The import lists the other tasks."""
    world = create_by_scripts(qlik, folder)
    for space in world.spaces.values():
        world.join(space["id"])

    def task(app: str, trigger: str, **body: Any) -> str:
        path = f"{TASKS}/resources/{app}/actions/reload/{trigger}"
        return str(qlik.request("POST", world.hostname, path, {"enabled": True, **body})["id"])

    app = world.apps["Sales", "Sales Overview"]["id"]
    staged = world.apps["Staging", "Sales Overview"]["id"]
    first = task(app, "on-time-schedule", name="Nightly", recurrence="RRULE:FREQ=DAILY;BYHOUR=6")
    task(app, "on-task-event", name="A follower", onTaskId=first, onTaskStatus="succeeded")
    duplicates = [task(app, "on-time-schedule", name="Twin", recurrence="FREQ=HOURLY") for _ in range(2)]
    other = task(staged, "on-time-schedule", name="Staged", recurrence="FREQ=DAILY")
    orphan = task(app, "on-task-event", name="Orphan", onTaskId=other)
    found = find(world)
    shared = {"app": "Sales Overview", "space": "Sales", "enabled": True, "description": None}
    assert set(found.customer["reload_tasks"]) == {"Nightly", "A follower"}
    nightly, follower = (found.customer["reload_tasks"][key] for key in ("Nightly", "A follower"))
    assert nightly.items() >= {**shared, "recurrence": "FREQ=DAILY;BYHOUR=6", "after": None}.items()
    assert follower.items() >= {**shared, "recurrence": None, "after": "Nightly"}.items()
    lines = [line for line in found.unmanaged if line.startswith("reload task")]
    assert len(lines) == 4
    reasons = {**dict.fromkeys(duplicates, "same name"), other: "not a publication", orphan: "not managed"}
    for id, reason in reasons.items():
        assert any(id in line and reason in line for line in lines)


def test_the_definition_of_an_automation_is_not_imported(qlik: Emulator, folder: Path, find: Find) -> None:
    """The import lists the automation. If the client cannot list any, the import says so and continues."""
    world = create_by_scripts(qlik, folder)
    id = world.request("POST", "/api/workflows/automations", {"name": "Nightly"})["id"]
    found = find(world)
    assert "automations" not in found.customer
    [line] = [line for line in found.unmanaged if line.startswith(f'automation "Nightly" ({id})')]
    assert "`automations`, with `adopt: true`" in line
    qlik.control.add_fault(path="/api/workflows/automations", status=403)
    assert [line for line in find(world).unmanaged if line.startswith("automations: the client cannot list")]


def test_an_entry_gets_its_key_from_the_plan(qlik: Emulator, folder: Path, find: Find) -> None:
    world = create_by_scripts(qlik, folder)
    found = find(
        world,
        groups={"Readers": {"name": "Analytics Consumers"}},
        spaces={"Sales": {"name": "Other"}, "Release": {"name": "Sales"}},
        apps={"Main": {"name": "Sales Overview"}},
    )
    assert list(found.customer["groups"]) == ["Readers"]
    assert set(found.customer["spaces"]) == {"Release", "Staging"}
    assert found.customer["spaces"]["Release"]["access"] == {"Readers": ["consumer"]}
    assert found.customer["apps"]["Main"]["publish_to"] == ["Release"]


def test_groups_of_one_name_and_different_types_get_different_keys(
    qlik: Emulator, folder: Path, find: Find
) -> None:
    world = create_by_scripts(qlik, folder)
    world.request("POST", "groups", {"name": "Analytics Consumers", "providerType": "custom"})
    assert sorted(find(world).customer["groups"]) == ["Analytics Consumers", "Analytics Consumers (custom)"]


def test_groups_without_roles_and_access_are_not_imported(qlik: Emulator, folder: Path, find: Find) -> None:
    world = create_by_scripts(qlik, folder)
    world.request("POST", "groups", {"name": "Everybody in Lund"})
    found = find(world)
    assert list(found.customer["groups"]) == ["Analytics Consumers"]
    assert '1 group without roles and without access: "Everybody in Lund"' in found.unmanaged


def test_access_of_a_user_is_listed_as_unmanaged(qlik: Emulator, folder: Path, find: Find) -> None:
    world = create_by_scripts(qlik, folder)
    world.join(world.spaces["Sales"]["id"])
    assert 'access to space "Sales": of 1 user' in find(world).unmanaged


def update_app(world: World, id: str, **attributes: str) -> None:
    """Change attributes of an app, as its owner."""
    with Cloud(
        {"QLIK_CLOUD_ENDPOINT": world.qlik.url, "QLIK_CLIENT_ID": "demo", "QLIK_CLIENT_SECRET": "demo-secret"}
    ) as cloud:
        cloud.tenant(world.hostname).put(f"/api/v1/apps/{id}", {"attributes": attributes})


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"description": "Ours"}, "does not end in the version"),
        ({"description": "Ours {v9.9.9}"}, f"no template with this name and version 9.9.9 on {SOURCE}"),
        ({"name": "Renamed"}, f"no template with this name and version 2.3.0 on {SOURCE}"),
        (
            {"description": "Ours [0123456789ab] {v2.3.0}"},
            f"no template on {SOURCE} has its mark [0123456789ab]",
        ),
    ],
)
def test_an_app_with_an_unknown_template_and_its_copies_are_not_imported(
    qlik: Emulator, folder: Path, find: Find, attributes: dict[str, str], reason: str
) -> None:
    world = create_by_scripts(qlik, folder)
    update_app(world, world.apps["Staging", "Sales Overview"]["id"], **attributes)
    found = find(world)
    assert "apps" not in found.customer
    assert not {item.kind for item in found.objects} & {"App", "AppPublication"}
    [staged, copy] = found.unmanaged
    assert reason in staged
    assert "its source app is not managed" in copy


@pytest.mark.parametrize("by", ["name", "id"])
@pytest.mark.parametrize("data", [True, False])
def test_the_mark_in_a_description_identifies_the_template(
    qlik: Emulator, folder: Path, find: Find, by: str, data: bool
) -> None:
    world = create_by_scripts(qlik, folder)
    templates = World(qlik, SOURCE).every("app")
    [template] = [template for template in templates if template["description"].endswith("{v2.4.0}")]
    reference = {"template": template["name"]} if by == "name" else {"template_id": template["id"]}
    expected = reference | {"version": "2.4.0", "data": data}
    mark = app.mark(expected | {"source_tenant": SOURCE})
    update_app(
        world,
        world.apps["Staging", "Sales Overview"]["id"],
        name="Ours",
        description=f"Text [{mark}] {{v2.4.0}}",
    )
    entry = find(world).customer["apps"]["Ours"]
    assert {name: entry[name] for name in expected} == expected
    assert entry["description"] == "Text"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [({"name": "Sales"}, "under another name"), ({"description": "Better"}, "its description is not")],
)
def test_a_copy_with_other_attributes_is_not_imported(
    qlik: Emulator, folder: Path, find: Find, attributes: dict[str, str], reason: str
) -> None:
    world = create_by_scripts(qlik, folder)
    update_app(world, world.apps["Sales", "Sales Overview"]["id"], **attributes)
    found = find(world)
    assert found.customer["apps"]["Sales Overview"]["publish_to"] == []
    assert [line for line in found.unmanaged if reason in line] == found.unmanaged != []


def test_the_published_one_of_two_apps_of_one_name_is_imported(
    qlik: Emulator, folder: Path, find: Find, cloud: Cloud
) -> None:
    world = create_by_scripts(qlik, folder)
    host, space = cloud.tenant(world.hostname), world.spaces["Staging"]["id"]
    published = world.apps["Staging", "Sales Overview"]["id"]
    other = import_template(cloud, host, space, folder, "Sales Overview", "2.4.0")
    found = find(world)
    assert [item.id for item in found.objects if item.kind == "App"] == [published]
    [line] = found.unmanaged
    assert other in line
    assert "2 apps in the space have this name" in line


def test_apps_in_personal_spaces_are_counted(qlik: Emulator, folder: Path, find: Find, cloud: Cloud) -> None:
    world = create_by_scripts(qlik, folder)
    cloud.tenant(world.hostname).post("/api/v1/apps", {"attributes": {"name": "Mine"}})
    assert find(world).unmanaged == ["1 app in personal spaces"]


def test_a_trial_without_a_last_day_becomes_a_production_tenant(
    qlik: Emulator, folder: Path, find: Find
) -> None:
    world = create_by_scripts(qlik, folder)
    assert find(world, lifecycle={"kind": "trial"}).customer["lifecycle"] == {"kind": "production"}
    assert "lifecycle" not in find(world, lifecycle={"kind": "trial", "ends_on": "2999-12-31"}).customer


def test_the_alias_leads_to_the_system_hostname(qlik: Emulator, folder: Path, cloud: Cloud) -> None:
    world = create_by_scripts(qlik, folder)
    assert TenantReader(cloud, "acme.eu.qlikcloud.com", SOURCE).hostname == world.hostname


def test_the_source_tenant_itself_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ImportRefused, match="is the source tenant"):
        TenantReader(cloud, SOURCE, SOURCE)


def test_a_tenant_that_does_not_exist_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ImportRefused, match=r"nobody\.eu\.qlikcloud\.com cannot be read"):
        TenantReader(cloud, "nobody.eu.qlikcloud.com", SOURCE)


def test_a_deactivated_tenant_is_refused(qlik: Emulator, folder: Path, cloud: Cloud) -> None:
    world = create_by_scripts(qlik, folder)
    lifetime.deactivate(cloud, world.hostname, world.tenant["id"], 10)
    with pytest.raises(ImportRefused, match="is deactivated and cannot be read"):
        TenantReader(cloud, world.hostname, SOURCE)
